#include "api/rest/common.hpp"
#include "api/rest/pages.hpp"

namespace etcdmon::api::rest {

namespace {

using model::LatencySummary;

void write_summary(JsonWriter& json, const LatencySummary& summary) {
  json.begin_object();
  json.member("operation", summary.operation);
  json.member("source", summary.source == LatencySummary::Source::kProbe ? "probe" : "server");
  json.member("origin", summary.origin);
  json.member("count", summary.count);
  json.member("window_seconds", seconds(summary.window));
  json.member("p50_ms", summary.p50_ms);
  json.member("p95_ms", summary.p95_ms);
  json.member("p99_ms", summary.p99_ms);
  json.end_object();
}

void write_cluster(JsonWriter& json, const model::ClusterMetrics& metrics) {
  json.key("read").begin_object();
  json.member_or_null("source", metrics.read_latency_source);
  json.member("p50_ms", metrics.read_latency_p50_ms);
  json.member("p95_ms", metrics.read_latency_p95_ms);
  json.member("p99_ms", metrics.read_latency_p99_ms);
  json.end_object();
  json.key("write").begin_object();
  json.member_or_null("source", metrics.write_latency_source);
  json.member("p50_ms", metrics.write_latency_p50_ms);
  json.member("p95_ms", metrics.write_latency_p95_ms);
  json.member("p99_ms", metrics.write_latency_p99_ms);
  json.end_object();
}

}  // namespace

std::string latency_page(const model::ClusterView& view) {
  JsonWriter json;
  json.begin_object();
  write_heading(json, view);
  write_cluster(json, view.metrics);
  json.key("members").begin_array();
  const auto& members = view.observation.members;
  for (std::size_t i = 0; i < members.size() && i < view.members.size(); ++i) {
    json.begin_object();
    write_id(json, "id", members[i].entry.id);
    json.member("name", display_name(members[i]));
    json.key("operations").begin_array();
    for (const auto& summary : view.members[i].latencies) write_summary(json, summary);
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return json.take();
}

}  // namespace etcdmon::api::rest
