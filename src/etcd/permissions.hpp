// etcd/permissions.hpp: which questions a login may ask, by asking them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "etcd/client.hpp"

namespace etcdmon::etcd {

/// Whose permissions are asked for, and what the monitor asks with them.
struct Login {
  std::string user;                     ///< empty: none
  std::shared_ptr<TokenSource> tokens;  ///< those of the client; nullptr without a user
  bool asks_state = true;               ///< all but HashKV
  bool asks_hash = true;
};

/// What one RPC answered to one login.
struct Permission {
  enum class Verdict : std::uint8_t { kAllowed, kDenied, kUnknown };

  std::string rpc;       ///< "Maintenance.Status"
  std::string used_for;  ///< "pulse: role, size, raft state"
  bool needed = true;    ///< the monitor asks this with this login
  Verdict verdict = Verdict::kUnknown;
  std::string message;  ///< of the error; empty when allowed
  std::string remedy;   ///< what would allow it; empty unless denied and needed
};

/// Asks every RPC that the monitor uses once, harmlessly: Status, MemberList, Alarm, Range of one
/// key (linearizable and serializable), and HashKV at a revision that does not exist, which is
/// refused before anything is scanned, but after the permission was looked at.
Task<std::vector<Permission>> check_permissions(Client& client, Login login, Deadline deadline);

/// What would let `user` ask `rpc`: etcdctl's commands, and the versions that want root for it.
std::string remedy_for(std::string_view rpc, std::string_view user);

}  // namespace etcdmon::etcd
