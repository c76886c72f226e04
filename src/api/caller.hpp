// api/caller.hpp: who asks, and what he may.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/auth/roles.hpp"
#include "net/http_server_message.hpp"

namespace etcdmon::api {

/// Threads: immutable, may be shared.
class Caller {
 public:
  /// Whoever comes while authentication is off: he may do everything from the monitor's own
  /// machine, and look from anywhere. See refuse_stranger().
  static const Caller& anybody();
  /// Whoever comes without credentials while it is on: he may do nothing.
  static const Caller& nobody();
  Caller(auth::Identity who, std::shared_ptr<const auth::Roles> roles);

  /// `cluster` empty: what belongs to all of them, or to none.
  bool may(auth::Action action, std::string_view cluster) const;
  bool may_see(std::string_view cluster) const { return may(auth::Action::kRead, cluster); }
  /// On one of them at least.
  bool may_somewhere(auth::Action action, const std::vector<std::string>& clusters) const;
  /// Those that he may see, in their order.
  std::vector<std::string> visible(const std::vector<std::string>& clusters) const;

  /// Null: he proved nothing.
  const auth::Identity* identity() const { return who_ ? &*who_ : nullptr; }

 private:
  explicit Caller(bool everything) : everything_(everything) {}

  bool everything_ = false;
  std::optional<auth::Identity> who_;
  std::shared_ptr<const auth::Roles> roles_;
};

/// The answer to somebody who lacks a right. The same whether there is such a cluster or not.
net::Response forbidden(const net::Request& request, auth::Action action);

}  // namespace etcdmon::api
