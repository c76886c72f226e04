#include "etcd/permissions.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace etcdmon::etcd {

namespace {

// A key that no one has: reading it needs the permission, and costs nothing.
constexpr std::string_view kProbeKey = "health";
constexpr std::string_view kAlarm = "Maintenance.Alarm";
constexpr std::string_view kAlarmUse = "NOSPACE and CORRUPT alarms";
constexpr std::string_view kHashKv = "Maintenance.HashKV";
// After the permission, and before the scan, etcd looks whether it has the revision.
constexpr auto kFutureRevision = std::numeric_limits<std::int64_t>::max();

/// The versions between which nothing but root was good enough, and those since then.
struct Demand {
  std::string_view rpc;
  std::string_view root;
  std::string_view any_user;
};
constexpr Demand kDemands[] = {
    {"Maintenance.Status", "3.4.42 to 3.4.45, 3.5.28 to 3.5.31, 3.6.0 to 3.6.11",
     "3.5.32, 3.6.12 and 3.7.0"},
    {kAlarm, "3.4.42, 3.5.28, 3.6.9", "3.4.43, 3.5.29, 3.6.10 and 3.7.0"},
    {"Cluster.MemberList", "3.4.42, 3.5.28, 3.6.9", "3.4.43, 3.5.29, 3.6.10 and 3.7.0"},
};

/// What etcd said to one login, row by row.
class Report {
 public:
  explicit Report(Login login) : login_(std::move(login)) {}

  template <class T>
  void add(std::string_view rpc, std::string_view used_for, const Result<T>& result) {
    auto& row = begin(rpc, used_for);
    row.needed = rpc == kHashKv ? login_.asks_hash : login_.asks_state;
    if (result) {
      row.verdict = Permission::Verdict::kAllowed;
    } else {
      judge(row, result.error());
    }
  }
  void leave_out(std::string_view rpc, std::string_view used_for, std::string why) {
    auto& row = begin(rpc, used_for);
    row.needed = false;
    row.message = std::move(why);
  }
  std::vector<Permission> take() { return std::move(rows_); }

 private:
  Permission& begin(std::string_view rpc, std::string_view used_for) {
    auto& row = rows_.emplace_back();
    row.rpc = rpc;
    row.used_for = used_for;
    return row;
  }
  void judge(Permission& row, const Error& error) const {
    const bool denied = is_not_authorised(error);
    const auto failed_login =
        denied && login_.tokens ? last_login_error(*login_.tokens) : std::nullopt;
    const auto& reason = failed_login ? *failed_login : error;
    row.message = fmt::format("{}: {}", name_of(reason.code), reason.message);
    if (failed_login && failed_login->cause != Cause::kNone) return;  // the login was not answered
    if (denied) {
      row.verdict = Permission::Verdict::kDenied;
      if (row.needed) row.remedy = failed_login ? login_remedy() : remedy_for(row.rpc, login_.user);
    } else if (error.cause == Cause::kNone) {
      // It got past the permission check and failed for a reason of its own.
      row.verdict = Permission::Verdict::kAllowed;
      if (row.rpc == kHashKv && error.code == ErrorCode::kOutOfRange) row.message.clear();
    }
  }
  std::string login_remedy() const {
    return fmt::format("the login is refused: etcdctl user get {0}; etcdctl user passwd {0}",
                       login_.user);
  }

  Login login_;
  std::vector<Permission> rows_;
};

std::string remedy_for_hash(std::string_view user) {
  return fmt::format(
      "root alone may ask this, on every version: {}etcdctl user grant-role {} root, best for a "
      "login of its own (`privileged` in the configuration file); to do without the comparison: "
      "monitoring.hash_check_interval: 0",
      user.empty() ? "etcdctl user add etcd-monitor-root && " : "",
      user.empty() ? "etcd-monitor-root" : user);
}

}  // namespace

std::string remedy_for(std::string_view rpc, std::string_view user) {
  if (rpc == kHashKv) return remedy_for_hash(user);
  const std::string_view name = user.empty() ? "etcd-monitor" : user;
  std::string out;
  if (user.empty()) out = fmt::format("etcdctl user add {0}, then start with --user={0}; ", name);
  if (rpc.starts_with("KV.Range")) {
    return out += fmt::format(
               "etcdctl role add etcd-monitor && etcdctl role grant-permission etcd-monitor read "
               "{} && etcdctl user grant-role {} etcd-monitor",
               kProbeKey, name);
  }
  const auto* demand = std::ranges::find(kDemands, rpc, &Demand::rpc);
  if (demand == std::ranges::end(kDemands)) return out;
  return out += fmt::format(
             "{} want root for this; from {} on any user may ask it: upgrade etcd, or etcdctl "
             "user grant-role {} root",
             demand->root, demand->any_user, name);
}

Task<std::vector<Permission>> check_permissions(Client& client, Login login, Deadline deadline) {
  Report report(std::move(login));
  const auto status = co_await client.status(deadline);
  report.add("Maintenance.Status", "pulse: reachability, leader, raft state, size", status);
  const auto members = co_await client.member_list(Consistency::kSerializable, deadline);
  report.add("Cluster.MemberList", "membership and quorum arithmetic", members);
  if (status && alarm_list_harms(status->version)) {
    report.leave_out(
        kAlarm, kAlarmUse,
        fmt::format("not asked: etcd {} may replay entries after it", status->version));
  } else {
    const auto alarms = co_await client.alarm_list(deadline);
    report.add(kAlarm, kAlarmUse, alarms);
  }
  RangeRequest serializable{
      .key = std::string(kProbeKey), .limit = 1, .consistency = Consistency::kSerializable};
  const auto local_read = co_await client.range(serializable, deadline);
  report.add("KV.Range (serializable)", "is this member able to read", local_read);
  RangeRequest linearizable{.key = std::string(kProbeKey), .limit = 1};
  const auto quorum_read = co_await client.range(linearizable, deadline);
  report.add("KV.Range (linearizable)", "is there a quorum, and how fast", quorum_read);
  const auto hash = co_await client.hash_kv(kFutureRevision, deadline);
  report.add(kHashKv, "do the members hold the same data", hash);
  co_return report.take();
}

}  // namespace etcdmon::etcd
