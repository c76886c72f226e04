#include "api/rest/alerts.hpp"

#include "api/rest/common.hpp"
#include "api/rest/pages.hpp"

namespace etcdmon::api::rest {

void write_alert(JsonWriter& json, const model::Alert& alert) {
  json.begin_object();
  json.member("id", alert.id);
  json.member("cluster", alert.cluster);
  json.member("rule", alert.rule);
  json.member("subject", alert.subject);
  json.member("severity", name_of(alert.severity));
  json.member("state", name_of(alert.state));
  json.member("summary", alert.summary);
  json.member("detail", alert.detail);
  json.member("value", alert.value);
  json.member("threshold", alert.threshold);
  json.key("labels").begin_object();
  for (const auto& [name, value] : alert.labels) json.member(name, value);
  json.end_object();
  json.member_or_null("runbook", alert.runbook);
  write_time(json, "pending_since", alert.pending_since);
  write_time(json, "firing_since", alert.firing_since);
  write_time(json, "resolved_at", alert.resolved_at);
  json.end_object();
}

namespace {

void write_event(JsonWriter& json, const model::ClusterView& view, const model::Event& event) {
  json.begin_object();
  write_time(json, "at", event.at);
  json.member("kind", name_of(event.kind));
  json.member("severity", name_of(event.severity));
  write_id(json, "member_id", event.member);
  json.member_or_null("member", name_in(view, event.member));
  json.member("subject", event.subject);
  json.member("text", event.text);
  json.end_object();
}

}  // namespace

std::string alerts_page(const model::ClusterView& view) {
  JsonWriter json;
  json.begin_object();
  write_heading(json, view);
  json.key("alerts").begin_array();
  for (const auto& alert : view.alerts) write_alert(json, alert);
  json.end_array().end_object();
  return json.take();
}

std::string events_page(const model::ClusterView& view) {
  JsonWriter json;
  json.begin_object();
  write_heading(json, view);
  json.key("events").begin_array();
  for (const auto& event : view.events) write_event(json, view, event);
  json.end_array().end_object();
  return json.take();
}

}  // namespace etcdmon::api::rest
