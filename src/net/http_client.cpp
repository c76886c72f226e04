#include "net/http_client.hpp"

#include <memory>

#include <fmt/format.h>

#include "net/detail/curl_thread.hpp"

namespace etcdmon::net {

namespace {

void set_text(CURL* handle, CURLoption option, const std::string& text) {
  if (!text.empty()) detail::set_option(handle, option, text.c_str());
}

// Runs on the curl thread; what it points into is held by the closure.
void prepare(const HttpRequest& request, detail::Transfer& transfer, CURL* handle) {
  detail::set_option(handle, CURLOPT_URL, request.url.reveal().c_str());
  detail::set_option(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  detail::set_option(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method == "GET") {
    detail::set_option(handle, CURLOPT_HTTPGET, 1L);
  } else {
    detail::set_option(handle, CURLOPT_POSTFIELDS, request.body.data());
    detail::set_option(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
  }
  for (const auto& [name, value] : request.headers) {
    const auto line = fmt::format("{}: {}", name, value.reveal());
    transfer.headers = detail::curl().slist_append(transfer.headers, line.c_str());
  }
  // No waiting for a "100 Continue" that many receivers never send.
  transfer.headers = detail::curl().slist_append(transfer.headers, "Expect:");
  detail::set_option(handle, CURLOPT_HTTPHEADER, transfer.headers);
  detail::set_option(handle, CURLOPT_USERAGENT, "etcd-monitor");
  set_text(handle, CURLOPT_CAINFO, request.tls.ca_file);
  set_text(handle, CURLOPT_SSLCERT, request.tls.cert_file);
  set_text(handle, CURLOPT_SSLKEY, request.tls.key_file);
  if (request.tls.insecure_skip_verify) {
    detail::set_option(handle, CURLOPT_SSL_VERIFYPEER, 0L);
    detail::set_option(handle, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!request.user.empty() || !request.password.empty()) {
    detail::set_option(handle, CURLOPT_USERNAME, request.user.c_str());
    detail::set_option(handle, CURLOPT_PASSWORD, request.password.reveal().c_str());
  }
}

}  // namespace

std::string_view HttpReply::header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (known == name) return value;
  }
  return {};
}

std::string shown_url(const Secret& url) {
  const std::string_view text = url.reveal();
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos) return "<no URL>";
  auto host = text.substr(scheme + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  // User info may hold a password.
  if (const auto at = host.rfind('@'); at != std::string_view::npos) host = host.substr(at + 1);
  return fmt::format("{}://{}", text.substr(0, scheme), host);
}

Task<Result<HttpReply>> HttpClient::send(HttpRequest request, Deadline deadline) {
  const auto doing = fmt::format("{} {}", request.method, shown_url(request.url));
  const auto transfer = std::make_shared<detail::Transfer>();
  transfer->deadline = deadline;
  transfer->max_answer = request.max_answer;
  transfer->prepare = [held = std::make_shared<const HttpRequest>(std::move(request))](
                          detail::Transfer& self, CURL* handle) { prepare(*held, self, handle); };
  co_await outbound_.thread().run(transfer);
  if (transfer->code != CURLE_OK && !(transfer->too_long && transfer->status != 0))
    co_return detail::curl_error(*transfer, doing);
  co_return HttpReply{.status = static_cast<int>(transfer->status),
                      .headers = std::move(transfer->answer_headers),
                      .body = std::move(transfer->answer)};
}

}  // namespace etcdmon::net
