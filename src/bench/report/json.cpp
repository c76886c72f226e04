#include "bench/report/json.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/units.hpp"

namespace etcdmon::bench::report {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "etcd-monitor-benchmark/1";

// A second that was cut short has its own rate; one of almost nothing has none.
constexpr double kShortestSample = 0.5;

Json latency_of(const Histogram& latency) {
  const auto at = [&latency](double share) {
    const auto value = latency.quantile(share);
    return value ? Json(ms(*value)) : Json();
  };
  const bool any = latency.count() > 0;
  return {{"average_ms", any ? Json(ms(latency.mean())) : Json()},
          {"stddev_ms", any ? Json(ms(latency.standard_deviation())) : Json()},
          {"min_ms", at(0)},
          {"p50_ms", at(0.5)},
          {"p90_ms", at(0.9)},
          {"p95_ms", at(0.95)},
          {"p99_ms", at(0.99)},
          {"p999_ms", at(0.999)},
          {"max_ms", at(1)}};
}

// Pairs of a bucket's lowest value and its count. Stands in the document as a name at first, since
// hundreds of pairs on lines of their own would bury all the rest.
std::string histogram_name(std::size_t operation) {
  return fmt::format("@histogram {}", operation);
}

Json histogram_of(const Histogram& latency) {
  Json buckets = Json::array();
  latency.for_each_bucket([&buckets](std::uint64_t lowest, std::uint64_t count) {
    buckets.push_back(Json::array({ms(lowest), count}));
  });
  return buckets;
}

Json operations_of(const RunResult& result) {
  Json rows = Json::array();
  const double length = seconds(result.measured);
  for (const auto& operation : result.operations) {
    rows.push_back(
        {{"name", operation.name},
         {"counted", operation.counted},
         {"successful", operation.succeeded},
         {"failed", operation.failed},
         {"throughput", length > 0 ? static_cast<double>(operation.succeeded) / length : 0},
         {"latency", latency_of(operation.latency)},
         {"histogram_ms", histogram_name(rows.size())}});
  }
  return rows;
}

Json errors_of(const RunResult& result) {
  Json rows = Json::array();
  for (const auto& [code, error] : result.errors)
    rows.push_back({{"code", name_of(code)}, {"count", error.count}, {"example", error.example}});
  return rows;
}

Json seconds_of(const RunResult& result) {
  Json rows = Json::array();
  for (const auto& second : result.seconds) {
    rows.push_back({{"at", seconds(second.at)},
                    {"length", seconds(second.length)},
                    {"successful", second.succeeded},
                    {"failed", second.failed},
                    {"p50_ms", ms(second.p50)},
                    {"p99_ms", ms(second.p99)},
                    {"max_ms", ms(second.max)},
                    {"due", second.offered},
                    {"waiting", second.backlog}});
  }
  return rows;
}

Json steps_of(const RunResult& result) {
  Json rows = Json::array();
  for (const auto& step : result.steps) {
    rows.push_back({{"due_rate", step.offered},
                    {"rate", step.achieved},
                    {"failed", step.failed},
                    {"p50_ms", ms(step.p50)},
                    {"p99_ms", ms(step.p99)},
                    {"held", step.held},
                    {"why_not", step.why_not}});
  }
  return rows;
}

Json samples_of(const RunResult& result) {
  Json rows = Json::array();
  for (const auto& sample : result.samples) {
    rows.push_back({{"at", seconds(sample.at)},
                    {"keys", sample.keys},
                    {"p50_ms", ms(sample.p50)},
                    {"p99_ms", ms(sample.p99)},
                    {"db_size_bytes", sample.db_size},
                    {"db_size_in_use_bytes", sample.db_size_in_use},
                    {"resident_bytes", sample.resident ? Json(*sample.resident) : Json()}});
  }
  return rows;
}

Json client_of(const ClientFacts& client) {
  return {{"limited", client.limited},
          {"busy", client.busy},
          {"cpu_seconds", client.cpu_seconds},
          {"lateness_p99_ms", ms(client.lateness_p99)},
          {"lateness_max_ms", ms(client.lateness_max)},
          {"backlog_max", client.backlog_max},
          {"dropped", client.dropped},
          {"stream_limited", client.stream_limited},
          {"window_limited", client.window_limited},
          {"reconnects", client.reconnects},
          {"bytes_sent", client.bytes_sent},
          {"bytes_received", client.bytes_received}};
}

Json targets_of(const Record& record) {
  Json rows = Json::array();
  for (const auto& target : record.targets) {
    rows.push_back({{"name", target.name},
                    {"target", target.target},
                    {"measured", target.measured},
                    {"outcome", name_of(target.outcome)},
                    {"why", target.why},
                    {"enforced", target.enforced}});
  }
  return rows;
}

Json changes_of(const RunResult& result) {
  Json rows = Json::array();
  for (const auto& change : result.leader_changes) {
    rows.push_back({{"at", seconds(change.at)},
                    {"term_before", change.term_before},
                    {"term_after", change.term_after}});
  }
  return rows;
}

Json place_of(const Place& place) {
  return {{"tool", place.tool},
          {"host", place.host},
          {"cores", place.cores},
          {"cluster", place.cluster},
          {"cluster_id_hex", place.cluster_id},
          {"versions", place.versions},
          {"members", place.members}};
}

// What the block of results says, in its order.
Json heading_of(const Record& record) {
  const auto& result = record.result;
  return {{"format", kFormat},
          {"type", result.workload},
          {"open_loop", record.open_loop},
          {"began", to_rfc3339(result.began)},
          {"duration_seconds", seconds(result.measured)},
          {"total_operations", result.total()},
          {"successful", result.succeeded},
          {"failed", result.failed},
          {"throughput", result.throughput()},
          {"throughput_is_clients_limit", !client_limit(result).empty()},
          {"latency", latency_of(result.latency)}};
}

template <class T>
T value_or(const Json& object, const char* key, const T& fallback) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? fallback : found->get<T>();
}

ComparedRun run_of(const Json& document, std::string name) {
  ComparedRun run;
  run.name = std::move(name);
  run.workload = document.at("type").get<std::string>();
  run.open_loop = document.at("open_loop").get<bool>();
  run.limited = document.at("client").at("limited").get<std::string>();
  run.throughput = document.at("throughput").get<double>();
  run.p50 = value_or(document.at("latency"), "p50_ms", 0.0);
  run.p99 = value_or(document.at("latency"), "p99_ms", 0.0);
  for (const auto& [key, value] : document.at("settings").items())
    run.settings.emplace_back(key, value.get<std::string>());
  for (const auto& second : document.at("seconds")) {
    const auto length = second.at("length").get<double>();
    if (length < kShortestSample) continue;
    const auto succeeded = second.at("successful").get<double>();
    run.rates.push_back(succeeded / length);
    if (succeeded <= 0) continue;
    run.p50s.push_back(second.at("p50_ms").get<double>());
    run.p99s.push_back(second.at("p99_ms").get<double>());
  }
  return run;
}

}  // namespace

std::string json(const Record& record) {
  const auto& result = record.result;
  auto document = heading_of(record);
  document["operations"] = operations_of(result);
  document["errors"] = errors_of(result);
  document["seconds"] = seconds_of(result);
  if (!result.steps.empty()) {
    document["search"] = steps_of(result);
    document["best_rate"] = result.best_rate ? Json(*result.best_rate) : Json();
  }
  if (!result.samples.empty()) document["growth"] = samples_of(result);
  document["targets"] = targets_of(record);
  if (record.preset) {
    document["preset"] = {{"name", record.preset->preset},
                          {"passed", record.preset->passed},
                          {"reasons", record.preset->reasons}};
  }
  document["leader_changes"] = changes_of(result);
  document["end"] = result.end == RunResult::End::kFinished  ? "finished"
                    : result.end == RunResult::End::kStopped ? "stopped"
                                                             : "aborted";
  document["why_aborted"] = result.why_aborted;
  document["client"] = client_of(result.client);
  document["keys_prepared"] = result.keys_prepared;
  document["keys_removed"] = result.keys_removed ? Json(*result.keys_removed) : Json();
  document["notes"] = result.notes;
  document["endpoints"] = result.endpoints;
  document["place"] = place_of(record.place);
  Json settings = Json::object();
  for (const auto& [name, value] : record.settings) settings[name] = value;
  document["settings"] = std::move(settings);
  // What servers say may hold any bytes.
  auto text = document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  for (std::size_t i = 0; i < result.operations.size(); ++i) {
    const auto name = fmt::format("\"{}\"", histogram_name(i));
    text.replace(text.find(name), name.size(), histogram_of(result.operations[i].latency).dump());
  }
  return text;
}

Result<ComparedRun> parse_run(std::string_view text, std::string name) {
  const Error no_result{
      ErrorCode::kInvalidArgument,
      fmt::format("{} is no result of a benchmark: write one with `bench --save={}`", name, name)};
  const auto document = Json::parse(text, nullptr, false);
  try {
    if (document.is_object() && value_or<std::string>(document, "format", {}) == kFormat)
      return run_of(document, name);
    return no_result;
  } catch (const Json::exception&) {
    return no_result;  // it lacks a field
  }
}

}  // namespace etcdmon::bench::report
