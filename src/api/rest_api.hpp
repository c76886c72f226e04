// api/rest_api.hpp: the HTTP surface: what is asked where, and pages that are rendered once per
// view.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/router.hpp"
#include "api/view_source.hpp"
#include "async/task.hpp"
#include "base/metrics.hpp"
#include "net/http_server.hpp"

namespace etcdmon::api {

struct RestApiOptions {
  /// The monitor's own metrics, for /metrics; may be null. Outlives the RestApi.
  const metrics::Registry* registry = nullptr;
  /// The server's counts, for /metrics; may be empty.
  std::function<net::HttpServerCounts()> http_counts;
};

/// Answers every request with GET: /health, /metrics and /api/v1/…; `/` lists them all. A page
/// about a cluster is rendered when it is first asked of a view and shared after that, with the
/// view's version as ETag.
/// `?cluster=NAME` chooses the cluster; where there is only one it may be left out.
///
/// Threads:  the loop only.
/// Lifetime: outlives the server that it answers for.
class RestApi {
 public:
  RestApi(ViewSource& source, RestApiOptions options);
  RestApi(const RestApi&) = delete;
  RestApi& operator=(const RestApi&) = delete;

  /// For net::HttpServer::Handler.
  Task<net::Response> handle(const net::Request& request) {
    return router_.dispatch(request, Caller::anybody());
  }

  /// Where other parts add their endpoints, before the server starts.
  Router& router() { return router_; }

 private:
  static constexpr std::size_t kPages = 8;

  struct Page {
    std::uint64_t version = 0;
    std::shared_ptr<const std::string> body;  ///< null: not rendered yet
    std::string etag;
  };
  using Pages = std::array<Page, kPages>;

  net::Response cluster_page(const net::Request& request, std::size_t page, const Caller& caller);
  net::Response clusters_page(const net::Request& request, const Caller& caller);
  net::Response health(const net::Request& request, const Caller& caller) const;
  net::Response index(const Caller& caller) const;
  Task<net::Response> metrics_page();

  void render(Page& page, std::uint64_t version, std::string body) const;
  net::Response conditional(const net::Request& request, const Page& page) const;
  std::vector<model::ClusterViewPtr> views(const std::vector<std::string>& names) const;
  Pages& pages_of(const std::string& cluster);

  ViewSource& source_;
  RestApiOptions options_;
  Router router_;
  std::string boot_;  ///< tells this process' versions from an earlier one's
  std::map<std::string, Pages, std::less<>> pages_;
  std::vector<std::string> overview_names_;  ///< what the overview was rendered from
  std::vector<std::uint64_t> overview_versions_;
  Page overview_;
  std::size_t metrics_size_ = 0;  ///< of the last /metrics page: copying megabytes again costs
};

/// True if the `If-None-Match` header's value names this entity tag, or any.
bool matches_etag(std::string_view if_none_match, std::string_view etag);

}  // namespace etcdmon::api
