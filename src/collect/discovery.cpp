#include "collect/discovery.hpp"

#include <fmt/format.h>

#include "net/endpoint.hpp"

namespace etcdmon::collect {

namespace {

void append_urls(std::vector<std::string>& urls, const std::vector<net::SrvTarget>& targets,
                 bool tls) {
  for (const auto& target : targets) {
    std::string host = target.host;
    if (host.ends_with('.')) host.pop_back();
    urls.push_back(net::Endpoint{tls, host, target.port, true}.url());
  }
}

}  // namespace

Task<Result<std::vector<std::string>>> discover_endpoints(net::Resolver& resolver,
                                                          std::string domain,
                                                          std::string service_name, bool tls) {
  const std::string suffix = service_name.empty() ? std::string() : "-" + service_name;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::vector<std::string> urls;
  const auto secure = co_await resolver.resolve_srv(
      fmt::format("_etcd-client-ssl{}._tcp.{}", suffix, domain), deadline);
  if (secure) append_urls(urls, *secure, true);
  if (urls.empty() || !tls) {
    const auto plain = co_await resolver.resolve_srv(
        fmt::format("_etcd-client{}._tcp.{}", suffix, domain), deadline);
    if (plain) append_urls(urls, *plain, false);
    if (urls.empty()) {
      co_return Error{
          ErrorCode::kNotFound,
          fmt::format("no SRV record _etcd-client-ssl{0}._tcp.{1} or _etcd-client{0}._tcp.{1}: {2}",
                      suffix, domain, plain ? "empty answer" : plain.error().message),
          Cause::kDns};
    }
  }
  co_return urls;
}

}  // namespace etcdmon::collect
