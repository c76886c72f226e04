// etcd/detail/paths.hpp: the names of the RPCs.
#pragma once

#include <string_view>

namespace etcdmon::etcd::path {

inline constexpr std::string_view kRange = "/etcdserverpb.KV/Range";
inline constexpr std::string_view kPut = "/etcdserverpb.KV/Put";
inline constexpr std::string_view kDeleteRange = "/etcdserverpb.KV/DeleteRange";
inline constexpr std::string_view kTxn = "/etcdserverpb.KV/Txn";
inline constexpr std::string_view kCompact = "/etcdserverpb.KV/Compact";
inline constexpr std::string_view kWatch = "/etcdserverpb.Watch/Watch";
inline constexpr std::string_view kLeaseGrant = "/etcdserverpb.Lease/LeaseGrant";
inline constexpr std::string_view kLeaseRevoke = "/etcdserverpb.Lease/LeaseRevoke";
inline constexpr std::string_view kLeaseKeepAlive = "/etcdserverpb.Lease/LeaseKeepAlive";
inline constexpr std::string_view kLeaseTimeToLive = "/etcdserverpb.Lease/LeaseTimeToLive";
inline constexpr std::string_view kLeaseLeases = "/etcdserverpb.Lease/LeaseLeases";
inline constexpr std::string_view kMemberAdd = "/etcdserverpb.Cluster/MemberAdd";
inline constexpr std::string_view kMemberRemove = "/etcdserverpb.Cluster/MemberRemove";
inline constexpr std::string_view kMemberUpdate = "/etcdserverpb.Cluster/MemberUpdate";
inline constexpr std::string_view kMemberList = "/etcdserverpb.Cluster/MemberList";
inline constexpr std::string_view kMemberPromote = "/etcdserverpb.Cluster/MemberPromote";
inline constexpr std::string_view kAlarm = "/etcdserverpb.Maintenance/Alarm";
inline constexpr std::string_view kStatus = "/etcdserverpb.Maintenance/Status";
inline constexpr std::string_view kDefragment = "/etcdserverpb.Maintenance/Defragment";
inline constexpr std::string_view kHashKv = "/etcdserverpb.Maintenance/HashKV";
inline constexpr std::string_view kSnapshot = "/etcdserverpb.Maintenance/Snapshot";
inline constexpr std::string_view kMoveLeader = "/etcdserverpb.Maintenance/MoveLeader";
inline constexpr std::string_view kDowngrade = "/etcdserverpb.Maintenance/Downgrade";
inline constexpr std::string_view kAuthEnable = "/etcdserverpb.Auth/AuthEnable";
inline constexpr std::string_view kAuthDisable = "/etcdserverpb.Auth/AuthDisable";
inline constexpr std::string_view kAuthStatus = "/etcdserverpb.Auth/AuthStatus";
inline constexpr std::string_view kAuthenticate = "/etcdserverpb.Auth/Authenticate";
inline constexpr std::string_view kUserAdd = "/etcdserverpb.Auth/UserAdd";
inline constexpr std::string_view kUserGet = "/etcdserverpb.Auth/UserGet";
inline constexpr std::string_view kUserList = "/etcdserverpb.Auth/UserList";
inline constexpr std::string_view kUserDelete = "/etcdserverpb.Auth/UserDelete";
inline constexpr std::string_view kUserChangePassword = "/etcdserverpb.Auth/UserChangePassword";
inline constexpr std::string_view kUserGrantRole = "/etcdserverpb.Auth/UserGrantRole";
inline constexpr std::string_view kUserRevokeRole = "/etcdserverpb.Auth/UserRevokeRole";
inline constexpr std::string_view kRoleAdd = "/etcdserverpb.Auth/RoleAdd";
inline constexpr std::string_view kRoleGet = "/etcdserverpb.Auth/RoleGet";
inline constexpr std::string_view kRoleList = "/etcdserverpb.Auth/RoleList";
inline constexpr std::string_view kRoleDelete = "/etcdserverpb.Auth/RoleDelete";
inline constexpr std::string_view kRoleGrantPermission = "/etcdserverpb.Auth/RoleGrantPermission";
inline constexpr std::string_view kRoleRevokePermission = "/etcdserverpb.Auth/RoleRevokePermission";

}  // namespace etcdmon::etcd::path
