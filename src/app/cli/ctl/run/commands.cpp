#include "app/cli/ctl/run/commands.hpp"

#include <array>

namespace etcdmon::app::cli::ctl {

namespace {

constexpr std::array kCommands = {
    Command{"alarm disarm", &run_alarm_disarm},
    Command{"alarm list", &run_alarm_list},
    Command{"auth disable", &run_auth_disable},
    Command{"auth enable", &run_auth_enable},
    Command{"auth status", &run_auth_status},
    Command{"compaction", &run_compaction},
    Command{"defrag", &run_defrag},
    Command{"del", &run_del},
    Command{"downgrade cancel", &run_downgrade_cancel},
    Command{"downgrade enable", &run_downgrade_enable},
    Command{"downgrade validate", &run_downgrade_validate},
    Command{"du", &run_du},
    Command{"elect", &run_elect, true},
    Command{"endpoint hashkv", &run_endpoint_hashkv},
    Command{"endpoint health", &run_endpoint_health},
    Command{"endpoint status", &run_endpoint_status},
    Command{"get", &run_get},
    Command{"lease grant", &run_lease_grant},
    Command{"lease keep-alive", &run_lease_keep_alive},
    Command{"lease list", &run_lease_list},
    Command{"lease revoke", &run_lease_revoke},
    Command{"lease timetolive", &run_lease_timetolive},
    Command{"lock", &run_lock, true},
    Command{"make-mirror", &run_make_mirror},
    Command{"member add", &run_member_add},
    Command{"member list", &run_member_list},
    Command{"member promote", &run_member_promote},
    Command{"member remove", &run_member_remove},
    Command{"member update", &run_member_update},
    Command{"move-leader", &run_move_leader},
    Command{"put", &run_put},
    Command{"role add", &run_role_add},
    Command{"role delete", &run_role_delete},
    Command{"role get", &run_role_get},
    Command{"role grant-permission", &run_role_grant_permission},
    Command{"role list", &run_role_list},
    Command{"role revoke-permission", &run_role_revoke_permission},
    Command{"snapshot save", &run_snapshot_save},
    Command{"txn", &run_txn},
    Command{"user add", &run_user_add},
    Command{"user delete", &run_user_delete},
    Command{"user get", &run_user_get},
    Command{"user grant-role", &run_user_grant_role},
    Command{"user list", &run_user_list},
    Command{"user passwd", &run_user_passwd},
    Command{"user revoke-role", &run_user_revoke_role},
    Command{"watch", &run_watch},
};

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

}  // namespace etcdmon::app::cli::ctl
