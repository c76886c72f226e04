#include "app/cli/ctl/print/reply_printer.hpp"

#include <utility>

#include "app/cli/ctl/print/print.hpp"
#include "wire/rpc.pb.h"
#include "wire/watch.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

// What is kept back, so that millions of keys leave in few writes.
constexpr std::size_t kFull = 256U << 10U;

}  // namespace

void ReplyPrinter::tell(const Reply& reply) {
  auto printed = print(reply, output_);
  error_ = printed ? "" : printed.error().message;
  if (!printed) return;
  pending_ += printed->out;
  if (!printed->err.empty()) {
    flush();
    sinks_.err(printed->err);
  }
  if (pending_.size() >= kFull) flush();
}

// Replies that may carry values.
template <class Message, class... More>
void ReplyPrinter::tell_values(const Message& message, More... more) {
  using Kind =
      std::conditional_t<std::is_same_v<Message, wire::RangeResponse>, GetReply, Only<Message>>;
  if (output_.show_secrets) return tell(Kind{message, more...});
  Message copy = message;
  redact(copy);
  tell(Kind{copy, more...});
}

void ReplyPrinter::line(std::string_view text) {
  error_.clear();
  (pending_ += text) += '\n';
}

bool ReplyPrinter::flush() {
  if (!pending_.empty()) gone_ |= !sinks_.out(pending_);
  pending_.clear();
  return !gone_;
}

void ReplyPrinter::get(const wire::RangeResponse& page, RangePart part) {
  tell_values(page, part);
}

void ReplyPrinter::put(const wire::PutResponse& reply) {
  tell_values(reply);
}

void ReplyPrinter::del(const wire::DeleteRangeResponse& reply) {
  tell_values(reply);
}

void ReplyPrinter::txn(const wire::TxnResponse& reply) {
  tell_values(reply);
}

void ReplyPrinter::watch(const wire::WatchResponse& reply) {
  tell_values(reply);
}

void ReplyPrinter::grant(const wire::LeaseGrantResponse& reply) {
  tell(GrantReply{reply});
}

void ReplyPrinter::revoke(std::int64_t lease, const wire::HeaderResponse& reply) {
  tell(lease_revoked(reply, lease));
}

void ReplyPrinter::keep_alive(const wire::LeaseKeepAliveResponse& reply) {
  tell(KeepAliveReply{reply});
}

void ReplyPrinter::time_to_live(const wire::LeaseTimeToLiveResponse& reply, bool keys) {
  tell(TimeToLiveReply{reply, keys});
}

void ReplyPrinter::leases(const wire::LeaseLeasesResponse& reply) {
  tell(LeasesReply{reply});
}

void ReplyPrinter::member_add(const wire::MemberAddResponse& reply) {
  tell(MemberAddReply{reply});
}

void ReplyPrinter::member_remove(std::uint64_t id, const wire::MemberListResponse& reply) {
  tell(MemberChangeReply{reply, id, "removed from"});
}

void ReplyPrinter::member_update(std::uint64_t id, const wire::MemberListResponse& reply) {
  tell(MemberChangeReply{reply, id, "updated in"});
}

void ReplyPrinter::member_promote(std::uint64_t id, const wire::MemberListResponse& reply) {
  tell(MemberChangeReply{reply, id, "promoted in"});
}

void ReplyPrinter::member_list(const wire::MemberListResponse& reply) {
  tell(MemberListReply{reply});
}

void ReplyPrinter::endpoint_health(std::span<const HealthRow> rows) {
  tell(rows);
}

void ReplyPrinter::endpoint_status(std::span<const StatusRow> rows) {
  tell(rows);
}

void ReplyPrinter::endpoint_hashkv(std::span<const HashRow> rows) {
  tell(rows);
}

void ReplyPrinter::alarm(const wire::AlarmResponse& reply) {
  tell(AlarmReply{reply});
}

void ReplyPrinter::move_leader(std::uint64_t from, std::uint64_t to,
                               const wire::HeaderResponse& reply) {
  tell(leader_moved(reply, from, to));
}

void ReplyPrinter::downgrade(DowngradeStep step, const wire::DowngradeResponse& reply) {
  const char* const verb = step == DowngradeStep::kValidate ? "validate"
                           : step == DowngradeStep::kEnable ? "enable"
                                                            : "cancel";
  tell(DowngradeReply{reply, verb});
}

void ReplyPrinter::snapshot_status(const SnapshotFile& file) {
  tell(file);
}

void ReplyPrinter::auth_status(const wire::AuthStatusResponse& reply) {
  tell(AuthStatusReply{reply});
}

void ReplyPrinter::user_add(std::string_view user, const wire::HeaderResponse& reply) {
  tell(user_added(reply, user));
}

void ReplyPrinter::user_get(std::string_view user, const wire::AuthUserGetResponse& reply) {
  tell(UserGetReply{reply, std::string(user)});
}

void ReplyPrinter::user_list(const wire::AuthUserListResponse& reply) {
  tell(UserListReply{reply});
}

void ReplyPrinter::user_delete(std::string_view user, const wire::HeaderResponse& reply) {
  tell(user_deleted(reply, user));
}

void ReplyPrinter::user_change_password(const wire::HeaderResponse& reply) {
  tell(password_changed(reply));
}

void ReplyPrinter::user_grant_role(std::string_view user, std::string_view role,
                                   const wire::HeaderResponse& reply) {
  tell(role_given(reply, user, role));
}

void ReplyPrinter::user_revoke_role(std::string_view user, std::string_view role,
                                    const wire::HeaderResponse& reply) {
  tell(role_taken(reply, user, role));
}

void ReplyPrinter::role_add(std::string_view role, const wire::HeaderResponse& reply) {
  tell(role_added(reply, role));
}

void ReplyPrinter::role_get(std::string_view role, const wire::AuthRoleGetResponse& reply) {
  tell(RoleGetReply{reply, std::string(role)});
}

void ReplyPrinter::role_list(const wire::AuthRoleListResponse& reply) {
  tell(RoleListReply{reply});
}

void ReplyPrinter::role_delete(std::string_view role, const wire::HeaderResponse& reply) {
  tell(role_deleted(reply, role));
}

void ReplyPrinter::role_grant_permission(std::string_view role, const wire::HeaderResponse& reply) {
  tell(permission_granted(reply, role));
}

void ReplyPrinter::role_revoke_permission(std::string_view role, std::string_view key,
                                          std::string_view range_end,
                                          const wire::HeaderResponse& reply) {
  tell(permission_revoked(reply, role, key, range_end));
}

}  // namespace etcdmon::app::cli::ctl
