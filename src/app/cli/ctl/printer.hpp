// app/cli/ctl/printer.hpp: what a ctl command has to tell, whatever the format.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace etcdmon::wire {
class AlarmResponse;
class AuthRoleGetResponse;
class AuthRoleListResponse;
class AuthStatusResponse;
class AuthUserGetResponse;
class AuthUserListResponse;
class DeleteRangeResponse;
class DowngradeResponse;
class HashKVResponse;
class HeaderResponse;
class LeaseGrantResponse;
class LeaseKeepAliveResponse;
class LeaseLeasesResponse;
class LeaseTimeToLiveResponse;
class MemberAddResponse;
class MemberListResponse;
class PutResponse;
class RangeResponse;
class StatusResponse;
class TxnResponse;
class WatchResponse;
}  // namespace etcdmon::wire

namespace etcdmon::app::cli::ctl {

/// Which part of one answer to `get` a page is. Pages come in the order of their keys; `more` and
/// `count` of the last one are those of the whole answer, the header of all is that of the first.
struct RangePart {
  bool first = true;
  bool last = true;
};

struct HealthRow {
  std::string endpoint;
  bool healthy = false;
  std::chrono::nanoseconds took{};
  std::string error;
};
struct StatusRow {
  std::string endpoint;
  const wire::StatusResponse* status = nullptr;
};
struct HashRow {
  std::string endpoint;
  const wire::HashKVResponse* hash = nullptr;
};

/// What `snapshot status` found in a file.
struct SnapshotFile {
  std::uint32_t hash = 0;
  std::int64_t revision = 0;
  std::int64_t total_keys = 0;
  std::int64_t total_size = 0;
  std::string version;
};

enum class DowngradeStep : std::uint8_t { kValidate, kEnable, kCancel };

/// Prints the answers of etcd to standard output in one format. Calls that are refused in a format
/// (etcdctl prints some things only as a table, say) print nothing and are told by error().
class Printer {
 public:
  virtual ~Printer() = default;

  virtual void get(const wire::RangeResponse& page, RangePart part) = 0;
  virtual void put(const wire::PutResponse& reply) = 0;
  virtual void del(const wire::DeleteRangeResponse& reply) = 0;
  virtual void txn(const wire::TxnResponse& reply) = 0;
  virtual void watch(const wire::WatchResponse& reply) = 0;

  virtual void grant(const wire::LeaseGrantResponse& reply) = 0;
  virtual void revoke(std::int64_t lease, const wire::HeaderResponse& reply) = 0;
  virtual void keep_alive(const wire::LeaseKeepAliveResponse& reply) = 0;
  virtual void time_to_live(const wire::LeaseTimeToLiveResponse& reply, bool keys) = 0;
  virtual void leases(const wire::LeaseLeasesResponse& reply) = 0;

  virtual void member_add(const wire::MemberAddResponse& reply) = 0;
  virtual void member_remove(std::uint64_t id, const wire::MemberListResponse& reply) = 0;
  virtual void member_update(std::uint64_t id, const wire::MemberListResponse& reply) = 0;
  virtual void member_promote(std::uint64_t id, const wire::MemberListResponse& reply) = 0;
  virtual void member_list(const wire::MemberListResponse& reply) = 0;

  virtual void endpoint_health(std::span<const HealthRow> rows) = 0;
  virtual void endpoint_status(std::span<const StatusRow> rows) = 0;
  virtual void endpoint_hashkv(std::span<const HashRow> rows) = 0;
  virtual void alarm(const wire::AlarmResponse& reply) = 0;
  virtual void move_leader(std::uint64_t from, std::uint64_t to,
                           const wire::HeaderResponse& reply) = 0;
  virtual void downgrade(DowngradeStep step, const wire::DowngradeResponse& reply) = 0;
  virtual void snapshot_status(const SnapshotFile& file) = 0;

  virtual void auth_status(const wire::AuthStatusResponse& reply) = 0;
  virtual void user_add(std::string_view user, const wire::HeaderResponse& reply) = 0;
  virtual void user_get(std::string_view user, const wire::AuthUserGetResponse& reply) = 0;
  virtual void user_list(const wire::AuthUserListResponse& reply) = 0;
  virtual void user_delete(std::string_view user, const wire::HeaderResponse& reply) = 0;
  virtual void user_change_password(const wire::HeaderResponse& reply) = 0;
  virtual void user_grant_role(std::string_view user, std::string_view role,
                               const wire::HeaderResponse& reply) = 0;
  virtual void user_revoke_role(std::string_view user, std::string_view role,
                                const wire::HeaderResponse& reply) = 0;
  virtual void role_add(std::string_view role, const wire::HeaderResponse& reply) = 0;
  virtual void role_get(std::string_view role, const wire::AuthRoleGetResponse& reply) = 0;
  virtual void role_list(const wire::AuthRoleListResponse& reply) = 0;
  virtual void role_delete(std::string_view role, const wire::HeaderResponse& reply) = 0;
  virtual void role_grant_permission(std::string_view role, const wire::HeaderResponse& reply) = 0;
  virtual void role_revoke_permission(std::string_view role, std::string_view key,
                                      std::string_view range_end,
                                      const wire::HeaderResponse& reply) = 0;

  /// A line that is the same in every format: "compacted revision 7", "Authentication Enabled".
  virtual void line(std::string_view text) = 0;
  /// What was printed leaves the process now. False: standard output is gone or full.
  virtual bool flush() = 0;
  /// Whether values that Kubernetes keeps secret may leave the process.
  virtual bool shows_secrets() const = 0;
  /// Why the last call printed nothing; empty: it did.
  virtual const std::string& error() const = 0;
};

}  // namespace etcdmon::app::cli::ctl
