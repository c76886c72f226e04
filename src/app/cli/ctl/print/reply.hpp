// app/cli/ctl/print/reply.hpp: what a ctl command got from etcd, with what its sentence needs
// beside the message.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "app/cli/ctl/printer.hpp"

namespace etcdmon::app::cli::ctl {

/// A message that says everything itself.
template <class Message>
struct Only {
  const Message& message;
};

using PutReply = Only<wire::PutResponse>;
using DelReply = Only<wire::DeleteRangeResponse>;
using TxnReply = Only<wire::TxnResponse>;
using WatchReply = Only<wire::WatchResponse>;
using GrantReply = Only<wire::LeaseGrantResponse>;
using KeepAliveReply = Only<wire::LeaseKeepAliveResponse>;
using LeasesReply = Only<wire::LeaseLeasesResponse>;
using MemberAddReply = Only<wire::MemberAddResponse>;
using MemberListReply = Only<wire::MemberListResponse>;
using AlarmReply = Only<wire::AlarmResponse>;
using RoleListReply = Only<wire::AuthRoleListResponse>;
using UserListReply = Only<wire::AuthUserListResponse>;
using AuthStatusReply = Only<wire::AuthStatusResponse>;

/// One page of the answer to a get, or all of it.
struct GetReply {
  const wire::RangeResponse& message;
  RangePart part{};
};

struct TimeToLiveReply {
  const wire::LeaseTimeToLiveResponse& message;
  bool with_keys = false;
};

struct RoleGetReply {
  const wire::AuthRoleGetResponse& message;
  std::string role;
};

struct UserGetReply {
  const wire::AuthUserGetResponse& message;
  std::string user;
};

struct DowngradeReply {
  const wire::DowngradeResponse& message;
  std::string verb;  ///< "validate", "enable", "cancel"
};

/// member remove, update, promote.
struct MemberChangeReply {
  const wire::MemberListResponse& message;
  std::uint64_t id = 0;
  std::string what;  ///< "removed from", "updated in", "promoted in"
};

/// Everything whose answer is nothing but a header.
struct DoneReply {
  const wire::HeaderResponse& message;
  std::string sentence;
  bool has_fields = true;
  bool has_protobuf = true;
};

DoneReply lease_revoked(const wire::HeaderResponse& message, std::int64_t id);
DoneReply leader_moved(const wire::HeaderResponse& message, std::uint64_t from, std::uint64_t to);
DoneReply role_added(const wire::HeaderResponse& message, std::string_view role);
DoneReply role_deleted(const wire::HeaderResponse& message, std::string_view role);
DoneReply permission_granted(const wire::HeaderResponse& message, std::string_view role);
DoneReply permission_revoked(const wire::HeaderResponse& message, std::string_view role,
                             std::string_view key, std::string_view range_end);
DoneReply user_added(const wire::HeaderResponse& message, std::string_view user);
DoneReply user_deleted(const wire::HeaderResponse& message, std::string_view user);
DoneReply password_changed(const wire::HeaderResponse& message);
DoneReply role_given(const wire::HeaderResponse& message, std::string_view user,
                     std::string_view role);
DoneReply role_taken(const wire::HeaderResponse& message, std::string_view user,
                     std::string_view role);

using HealthReply = std::span<const HealthRow>;
using StatusReply = std::span<const StatusRow>;
using HashReply = std::span<const HashRow>;
using SnapshotReply = SnapshotFile;

using Reply = std::variant<PutReply, GetReply, DelReply, TxnReply, WatchReply, GrantReply,
                           KeepAliveReply, TimeToLiveReply, LeasesReply, MemberAddReply,
                           MemberListReply, MemberChangeReply, HealthReply, StatusReply, HashReply,
                           AlarmReply, RoleGetReply, RoleListReply, UserGetReply, UserListReply,
                           AuthStatusReply, DowngradeReply, DoneReply, SnapshotReply>;

}  // namespace etcdmon::app::cli::ctl
