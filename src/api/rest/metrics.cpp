#include "api/rest/common.hpp"
#include "api/rest/pages.hpp"

namespace etcdmon::api::rest {

namespace {

using model::ClusterView;

void write_values(JsonWriter& json, std::string_view name, const model::MetricValues& values) {
  json.key(name).begin_object();
  for (const auto& doc : model::metric_docs()) json.member(doc.name, values.get(doc.metric));
  json.end_object();
}

void write_member(JsonWriter& json, const model::MemberFacts& facts,
                  const model::MemberView& member) {
  json.begin_object();
  write_id(json, "id", facts.entry.id);
  json.member("name", display_name(facts));
  write_values(json, "metrics", member.values);
  json.key("sources").begin_object();
  json.member_or_null("server_read", member.read_latency_source);
  json.member_or_null("server_write", member.write_latency_source);
  json.member_or_null("client_connections", member.client_connections_source);
  json.end_object();
  json.member("scrapes", member.scrapes);
  json.member("scrape_failures", member.scrape_failures);
  json.member("malformed_lines", member.malformed_lines);
  json.end_object();
}

}  // namespace

std::string current_metrics_page(const ClusterView& view) {
  const auto& metrics = view.metrics;
  JsonWriter json;
  json.begin_object();
  // The specification's fields first, in its order; latencies in milliseconds, sizes in bytes.
  write_time(json, "timestamp", metrics.at);
  json.member("request_rate", metrics.request_rate);
  json.member("read_latency_p50", metrics.read_latency_p50_ms);
  json.member("read_latency_p95", metrics.read_latency_p95_ms);
  json.member("read_latency_p99", metrics.read_latency_p99_ms);
  json.member("write_latency_p50", metrics.write_latency_p50_ms);
  json.member("write_latency_p95", metrics.write_latency_p95_ms);
  json.member("write_latency_p99", metrics.write_latency_p99_ms);
  json.member("db_size", metrics.db_size);
  json.member("db_size_in_use", metrics.db_size_in_use);

  json.member("cluster", view.cluster).member("view_version", view.version);
  json.member("error_ratio", metrics.error_ratio);
  json.member("db_quota", metrics.db_quota);
  json.member("db_growth_bytes_per_second", metrics.db_growth_rate);
  json.key("sources").begin_object();
  json.member_or_null("read_latency", metrics.read_latency_source);
  json.member_or_null("write_latency", metrics.write_latency_source);
  json.end_object();
  write_values(json, "totals", metrics.totals);
  json.key("members").begin_array();
  const auto& members = view.observation.members;
  for (std::size_t i = 0; i < members.size() && i < view.members.size(); ++i) {
    write_member(json, members[i], view.members[i]);
  }
  json.end_array().end_object();
  return json.take();
}

}  // namespace etcdmon::api::rest
