// app/cli/ctl/print/reply_printer.hpp: the printer of all formats; it hides what Kubernetes keeps
// secret.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "app/cli/ctl/print/output.hpp"
#include "app/cli/ctl/print/reply.hpp"
#include "app/cli/ctl/printer.hpp"

namespace etcdmon::app::cli::ctl {

class ReplyPrinter : public Printer {
 public:
  /// Where text goes; false: nobody takes it any more.
  struct Sinks {
    std::function<bool(std::string_view)> out;
    std::function<bool(std::string_view)> err;
  };

  ReplyPrinter(Output output, Sinks sinks) : output_(output), sinks_(std::move(sinks)) {}

  void get(const wire::RangeResponse& page, RangePart part) override;
  void put(const wire::PutResponse& reply) override;
  void del(const wire::DeleteRangeResponse& reply) override;
  void txn(const wire::TxnResponse& reply) override;
  void watch(const wire::WatchResponse& reply) override;

  void grant(const wire::LeaseGrantResponse& reply) override;
  void revoke(std::int64_t lease, const wire::HeaderResponse& reply) override;
  void keep_alive(const wire::LeaseKeepAliveResponse& reply) override;
  void time_to_live(const wire::LeaseTimeToLiveResponse& reply, bool keys) override;
  void leases(const wire::LeaseLeasesResponse& reply) override;

  void member_add(const wire::MemberAddResponse& reply) override;
  void member_remove(std::uint64_t id, const wire::MemberListResponse& reply) override;
  void member_update(std::uint64_t id, const wire::MemberListResponse& reply) override;
  void member_promote(std::uint64_t id, const wire::MemberListResponse& reply) override;
  void member_list(const wire::MemberListResponse& reply) override;

  void endpoint_health(std::span<const HealthRow> rows) override;
  void endpoint_status(std::span<const StatusRow> rows) override;
  void endpoint_hashkv(std::span<const HashRow> rows) override;
  void alarm(const wire::AlarmResponse& reply) override;
  void move_leader(std::uint64_t from, std::uint64_t to,
                   const wire::HeaderResponse& reply) override;
  void downgrade(DowngradeStep step, const wire::DowngradeResponse& reply) override;
  void snapshot_status(const SnapshotFile& file) override;

  void auth_status(const wire::AuthStatusResponse& reply) override;
  void user_add(std::string_view user, const wire::HeaderResponse& reply) override;
  void user_get(std::string_view user, const wire::AuthUserGetResponse& reply) override;
  void user_list(const wire::AuthUserListResponse& reply) override;
  void user_delete(std::string_view user, const wire::HeaderResponse& reply) override;
  void user_change_password(const wire::HeaderResponse& reply) override;
  void user_grant_role(std::string_view user, std::string_view role,
                       const wire::HeaderResponse& reply) override;
  void user_revoke_role(std::string_view user, std::string_view role,
                        const wire::HeaderResponse& reply) override;
  void role_add(std::string_view role, const wire::HeaderResponse& reply) override;
  void role_get(std::string_view role, const wire::AuthRoleGetResponse& reply) override;
  void role_list(const wire::AuthRoleListResponse& reply) override;
  void role_delete(std::string_view role, const wire::HeaderResponse& reply) override;
  void role_grant_permission(std::string_view role, const wire::HeaderResponse& reply) override;
  void role_revoke_permission(std::string_view role, std::string_view key,
                              std::string_view range_end,
                              const wire::HeaderResponse& reply) override;

  void line(std::string_view text) override;
  bool flush() override;
  bool shows_secrets() const override { return output_.show_secrets; }
  const std::string& error() const override { return error_; }

 private:
  void tell(const Reply& reply);
  template <class Message, class... More>
  void tell_values(const Message& message, More... more);

  Output output_;
  Sinks sinks_;
  std::string pending_{};  ///< for standard output
  std::string error_{};
  bool gone_ = false;  ///< standard output takes nothing more
};

}  // namespace etcdmon::app::cli::ctl
