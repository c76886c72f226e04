#include "api/rest/common.hpp"
#include "api/rest/pages.hpp"

namespace etcdmon::api::rest {

namespace {

using model::ClusterView;

std::size_t member_count(const ClusterView& view) {
  const auto& listed = view.observation.membership.members;
  return listed.empty() ? view.observation.members.size() : listed.size();
}

void write_alarms(JsonWriter& json, const ClusterView& view) {
  json.key("alarms");
  const auto alarms = known_alarms(view.observation);
  if (!alarms) {
    json.null();
    return;
  }
  json.begin_array();
  for (const auto& alarm : *alarms) {
    json.begin_object();
    write_id(json, "member_id", alarm.member);
    json.member_or_null("member", name_in(view, alarm.member));
    json.member("type", name_of(alarm.type));
    json.end_object();
  }
  json.end_array();
}

void write_partition(JsonWriter& json, const ClusterView& view) {
  const auto& partition = view.assessment.partition;
  json.key("partition").begin_object();
  json.member("kind", name_of(partition.kind));
  json.member("suspected", partition.suspected);
  json.member_or_null("text", partition.text);
  json.key("cut_links").begin_array();
  for (const auto& [from, to] : partition.cut_links) {
    json.begin_object();
    write_id(json, "from_id", from);
    json.member_or_null("from", name_in(view, from));
    write_id(json, "to_id", to);
    json.member_or_null("to", name_in(view, to));
    json.end_object();
  }
  json.end_array();
  json.key("groups").begin_array();
  for (const auto& group : partition.groups) {
    json.begin_array();
    for (const auto member : group) json.value(name_in(view, member));
    json.end_array();
  }
  json.end_array().end_object();
}

void write_verdicts(JsonWriter& json, const ClusterView& view) {
  json.key("verdicts").begin_array();
  for (const auto& verdict : view.assessment.verdicts) {
    json.begin_object();
    json.member("check", name_of(verdict.check));
    json.member("severity", name_of(verdict.severity));
    write_id(json, "member_id", verdict.member);
    json.member("subject", verdict.subject);
    json.member("summary", verdict.summary);
    json.member("detail", verdict.detail);
    write_time(json, "since", view.assessment.at, verdict.since);
    json.member("since_seconds", seconds_since(view.assessment.at, verdict.since));
    json.member("runbook", runbook_of(verdict.check));
    json.end_object();
  }
  json.end_array();
}

void write_quorum(JsonWriter& json, const model::QuorumAssessment& quorum) {
  const bool known = quorum.quorum_size > 0;
  json.key("failures_tolerated");
  known ? json.value(quorum.failures_tolerated) : json.null();
  json.member("has_quorum", quorum.has_quorum);
  json.member("voters", quorum.voters);
  json.member("learners", quorum.learners);
  json.member("available", quorum.available);
  std::optional<double> age;
  if (quorum.member_list_age) age = seconds(*quorum.member_list_age);
  json.member("member_list_age_seconds", age);
}

void write_monitor(JsonWriter& json, const model::Observation& seen) {
  json.key("monitor").begin_object();
  json.member("pulse_on", seen.pulse_on);
  json.member("pulse_rounds", seen.pulse_rounds);
  json.member("voided", seen.voided_rounds);
  json.member("round_void", seen.round_void);
  json.member("missed_ticks", seen.missed_ticks);
  json.member("loop_lag_ms", milliseconds(seen.loop_lag));
  json.member("auth_required", seen.auth_required);
  json.member_or_null("login_error", seen.login_error ? seen.login_error->message : std::string());
  json.end_object();
}

void write_endpoints(JsonWriter& json, const model::Observation& seen) {
  json.key("endpoints").begin_array();
  for (const auto& endpoint : seen.endpoints) {
    json.begin_object();
    json.member("url", endpoint.url);
    json.member("tried", endpoint.tried);
    json.key("answered_hex").begin_array();
    for (const auto member : endpoint.answered) json.value(to_hex(member));
    json.end_array();
    json.member_or_null("last_error",
                        endpoint.last_error ? endpoint.last_error->message : std::string());
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string status_page(const ClusterView& view) {
  const auto& seen = view.observation;
  const auto& leader = view.assessment.leader;
  const auto& quorum = view.assessment.quorum;
  JsonWriter json;
  json.begin_object();
  // The specification's fields first, in its order.
  json.member("healthy", view.assessment.healthy.value_or(false));
  write_id(json, "leader_id", leader.leader.value_or(MemberId{}));
  json.member("member_count", member_count(view));
  json.member("quorum_size", quorum.quorum_size);
  json.member("has_leader", leader.leader.has_value());
  json.member("leader_changes", leader.changes);
  write_time(json, "last_leader_change",
             leader.history.empty() ? WallTime{} : leader.history.back().at);
  json.member("network_partition", is_cut(view.assessment.partition));
  write_alarms(json, view);
  write_time(json, "last_check", seen.last_health_check_wall);

  json.member("state", state_of(view));
  write_heading(json, view);
  write_id(json, "cluster_id", seen.membership.cluster_id.value_or(ClusterId{}));
  json.member_or_null("leader", leader.name);
  write_quorum(json, quorum);
  json.member("leader_disputed", leader.disputed);
  json.member("split_brain", leader.split_brain);
  const auto [oldest, newest] = version_range(seen);
  json.member_or_null("version_min", oldest).member_or_null("version_max", newest);
  write_partition(json, view);
  write_verdicts(json, view);
  write_endpoints(json, seen);
  write_monitor(json, seen);
  json.end_object();
  return json.take();
}

}  // namespace etcdmon::api::rest
