#include "api/caller.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace etcdmon::api {

const Caller& Caller::anybody() {
  static const Caller kAnybody(true);
  return kAnybody;
}

const Caller& Caller::nobody() {
  static const Caller kNobody(false);
  return kNobody;
}

Caller::Caller(auth::Identity who, std::shared_ptr<const auth::Roles> roles)
    : who_(std::move(who)), roles_(std::move(roles)) {}

bool Caller::may(auth::Action action, std::string_view cluster) const {
  return everything_ || (who_ && roles_->allow(*who_, action, cluster));
}

bool Caller::may_somewhere(auth::Action action, const std::vector<std::string>& clusters) const {
  return may(action, "") || std::ranges::any_of(clusters, [&](const std::string& cluster) {
           return may(action, cluster);
         });
}

std::vector<std::string> Caller::visible(const std::vector<std::string>& clusters) const {
  std::vector<std::string> seen;
  for (const auto& cluster : clusters) {
    if (may_see(cluster)) seen.push_back(cluster);
  }
  return seen;
}

net::Response forbidden(const net::Request& request, auth::Action action) {
  auto response = net::problem(
      403, net::reason_phrase(403),
      fmt::format("this takes a role that grants \"{}\" here", name_of(action)), request.path);
  response.headers.push_back({"Cache-Control", "no-store"});
  return response;
}

}  // namespace etcdmon::api
