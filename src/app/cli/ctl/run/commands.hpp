// app/cli/ctl/run/commands.hpp: every command that asks a cluster.
#pragma once

#include "app/cli/ctl/command.hpp"

namespace etcdmon::app::cli::ctl {

Task<Exit> run_alarm_disarm(Session& session, const Request& request, Printer& printer);
Task<Exit> run_alarm_list(Session& session, const Request& request, Printer& printer);
Task<Exit> run_auth_disable(Session& session, const Request& request, Printer& printer);
Task<Exit> run_auth_enable(Session& session, const Request& request, Printer& printer);
Task<Exit> run_auth_status(Session& session, const Request& request, Printer& printer);
Task<Exit> run_compaction(Session& session, const Request& request, Printer& printer);
Task<Exit> run_defrag(Session& session, const Request& request, Printer& printer);
Task<Exit> run_del(Session& session, const Request& request, Printer& printer);
Task<Exit> run_downgrade_cancel(Session& session, const Request& request, Printer& printer);
Task<Exit> run_downgrade_enable(Session& session, const Request& request, Printer& printer);
Task<Exit> run_downgrade_validate(Session& session, const Request& request, Printer& printer);
Task<Exit> run_du(Session& session, const Request& request, Printer& printer);
Task<Exit> run_elect(Session& session, const Request& request, Printer& printer);
Task<Exit> run_endpoint_hashkv(Session& session, const Request& request, Printer& printer);
Task<Exit> run_endpoint_health(Session& session, const Request& request, Printer& printer);
Task<Exit> run_endpoint_status(Session& session, const Request& request, Printer& printer);
Task<Exit> run_get(Session& session, const Request& request, Printer& printer);
Task<Exit> run_lease_grant(Session& session, const Request& request, Printer& printer);
Task<Exit> run_lease_keep_alive(Session& session, const Request& request, Printer& printer);
Task<Exit> run_lease_list(Session& session, const Request& request, Printer& printer);
Task<Exit> run_lease_revoke(Session& session, const Request& request, Printer& printer);
Task<Exit> run_lease_timetolive(Session& session, const Request& request, Printer& printer);
Task<Exit> run_lock(Session& session, const Request& request, Printer& printer);
Task<Exit> run_make_mirror(Session& session, const Request& request, Printer& printer);
Task<Exit> run_member_add(Session& session, const Request& request, Printer& printer);
Task<Exit> run_member_list(Session& session, const Request& request, Printer& printer);
Task<Exit> run_member_promote(Session& session, const Request& request, Printer& printer);
Task<Exit> run_member_remove(Session& session, const Request& request, Printer& printer);
Task<Exit> run_member_update(Session& session, const Request& request, Printer& printer);
Task<Exit> run_move_leader(Session& session, const Request& request, Printer& printer);
Task<Exit> run_put(Session& session, const Request& request, Printer& printer);
Task<Exit> run_role_add(Session& session, const Request& request, Printer& printer);
Task<Exit> run_role_delete(Session& session, const Request& request, Printer& printer);
Task<Exit> run_role_get(Session& session, const Request& request, Printer& printer);
Task<Exit> run_role_grant_permission(Session& session, const Request& request, Printer& printer);
Task<Exit> run_role_list(Session& session, const Request& request, Printer& printer);
Task<Exit> run_role_revoke_permission(Session& session, const Request& request, Printer& printer);
Task<Exit> run_snapshot_save(Session& session, const Request& request, Printer& printer);
Task<Exit> run_txn(Session& session, const Request& request, Printer& printer);
Task<Exit> run_user_add(Session& session, const Request& request, Printer& printer);
Task<Exit> run_user_delete(Session& session, const Request& request, Printer& printer);
Task<Exit> run_user_get(Session& session, const Request& request, Printer& printer);
Task<Exit> run_user_grant_role(Session& session, const Request& request, Printer& printer);
Task<Exit> run_user_list(Session& session, const Request& request, Printer& printer);
Task<Exit> run_user_passwd(Session& session, const Request& request, Printer& printer);
Task<Exit> run_user_revoke_role(Session& session, const Request& request, Printer& printer);
Task<Exit> run_watch(Session& session, const Request& request, Printer& printer);

}  // namespace etcdmon::app::cli::ctl
