#include "collect/membership.hpp"

#include <algorithm>

#include "net/endpoint.hpp"

namespace etcdmon::collect {

bool same_authority(const std::string& a, const std::string& b) {
  const auto left = net::parse_endpoint(a);
  const auto right = net::parse_endpoint(b);
  return left && right && left->host == right->host && left->port == right->port;
}

bool stands_for(const std::string& endpoint, const std::string& advertised) {
  const auto left = net::parse_endpoint(endpoint);
  const auto right = net::parse_endpoint(advertised);
  return left && right && left->host == right->host && left->port == right->port &&
         (!left->scheme_given || left->tls == right->tls);
}

std::vector<WatchTarget> plan_targets(const std::vector<model::MemberEntry>& members,
                                      const std::vector<KnownEndpoint>& endpoints) {
  std::vector<WatchTarget> targets;
  std::vector<bool> used(endpoints.size(), false);
  for (const auto& entry : members) {
    WatchTarget target{entry, {}, false};
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
      const bool answered = endpoints[i].member == entry.id;
      const bool advertised = !endpoints[i].member &&
                              std::ranges::any_of(entry.client_urls, [&](const std::string& url) {
                                return stands_for(endpoints[i].url, url);
                              });
      if (!answered && !advertised) continue;
      used[i] = true;
      target.urls.push_back(endpoints[i].url);
      target.configured = true;
    }
    for (const auto& url : entry.client_urls) {
      const bool known = std::ranges::any_of(
          target.urls, [&](const std::string& u) { return stands_for(u, url); });
      if (!known) target.urls.push_back(url);
    }
    targets.push_back(std::move(target));
  }
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    // One that answered as a member which has left the cluster is asked again as a stranger.
    if (!used[i]) targets.push_back(WatchTarget{{}, {endpoints[i].url}, true});
  }
  return targets;
}

}  // namespace etcdmon::collect
