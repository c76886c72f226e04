// net/http_client.hpp: HTTP requests that go out: webhooks, chat services, heartbeats.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "net/outbound.hpp"
#include "net/tls.hpp"

namespace etcdmon::net {

struct HttpRequest {
  std::string method = "POST";
  Secret url;  ///< webhooks carry their secret in the path
  std::vector<std::pair<std::string, Secret>> headers{};
  std::string body{};
  TlsOptions tls{};
  std::string user{};  ///< Basic authentication; empty: none
  Secret password{};
  std::size_t max_answer = 64 << 10;  ///< what a reply's body is cut off at
};

struct HttpReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers{};  ///< names in lower case
  std::string body{};  ///< at most HttpRequest::max_answer of it

  std::string_view header(std::string_view name) const;  ///< empty: not there
};

/// Every status is a reply, redirects too: they are never followed, since a secret went with the
/// request. Proxies are taken from the environment (http_proxy, https_proxy, no_proxy).
///
/// Threads:  the loop only. Cancel: ends at once.
class HttpClient {
 public:
  explicit HttpClient(Outbound& outbound) : outbound_(outbound) {}

  /// Errors carry a Cause, and name the host but nothing else of the URL; kInvalidArgument: no URL.
  Task<Result<HttpReply>> send(HttpRequest request, Deadline deadline);

 private:
  Outbound& outbound_;
};

/// "https://hooks.slack.com": what may be shown of a URL.
std::string shown_url(const Secret& url);

}  // namespace etcdmon::net
