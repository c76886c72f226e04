// etcd/auth.hpp: authentication: users, roles, and what roles allow.
#pragma once

#include <cstdint>
#include <string>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/secret.hpp"
#include "etcd/kv.hpp"

namespace etcdmon::wire {
class AuthRoleGetResponse;
class AuthRoleListResponse;
class AuthStatusResponse;
class AuthUserGetResponse;
class AuthUserListResponse;
class HeaderResponse;
}  // namespace etcdmon::wire

namespace etcdmon::etcd {

class Channel;

struct UserAddOptions {
  std::string name{};
  Secret password{};
  bool no_password = false;  ///< only a certificate logs it in
};
struct UserRole {
  std::string user{};
  std::string role{};
};
enum class Access : std::uint8_t { kRead, kWrite, kReadWrite };
struct PermissionOptions {
  std::string role{};
  KeyRange range{};
  Access access = Access::kRead;
};

/// All of these are raft proposals, also those that only read.
///
/// Threads:  the loop only.
/// Lifetime: the channel must outlive it.
/// Errors:   as Channel::call.
class Auth {
 public:
  explicit Auth(Channel& channel) : channel_(&channel) {}

  Task<Result<wire::AuthStatusResponse>> status(Deadline deadline);  ///< 3.5+
  /// Refused until there is a user root with the role root.
  Task<Result<wire::HeaderResponse>> enable(Deadline deadline);
  Task<Result<wire::HeaderResponse>> disable(Deadline deadline);

  Task<Result<wire::HeaderResponse>> user_add(UserAddOptions options, Deadline deadline);
  Task<Result<wire::HeaderResponse>> user_delete(std::string user, Deadline deadline);
  Task<Result<wire::AuthUserGetResponse>> user_get(std::string user, Deadline deadline);
  Task<Result<wire::AuthUserListResponse>> user_list(Deadline deadline);
  Task<Result<wire::HeaderResponse>> change_password(std::string user, Secret password,
                                                     Deadline deadline);
  Task<Result<wire::HeaderResponse>> grant_role(UserRole options, Deadline deadline);
  Task<Result<wire::HeaderResponse>> revoke_role(UserRole options, Deadline deadline);

  Task<Result<wire::HeaderResponse>> role_add(std::string role, Deadline deadline);
  Task<Result<wire::HeaderResponse>> role_delete(std::string role, Deadline deadline);
  Task<Result<wire::AuthRoleGetResponse>> role_get(std::string role, Deadline deadline);
  Task<Result<wire::AuthRoleListResponse>> role_list(Deadline deadline);
  Task<Result<wire::HeaderResponse>> grant_permission(PermissionOptions options, Deadline deadline);
  /// Of exactly this range; `access` does not matter.
  Task<Result<wire::HeaderResponse>> revoke_permission(PermissionOptions options,
                                                       Deadline deadline);

 private:
  Channel* channel_;
};

}  // namespace etcdmon::etcd
