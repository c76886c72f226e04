#include "bench/report/html.hpp"

#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "bench/report/chart.hpp"
#include "bench/report/text.hpp"

namespace etcdmon::bench::report {

namespace {

constexpr std::string_view kStyle = R"css(
:root { --paper:#fff; --ink:#1c2430; --faint:#66707f; --rule:#dde2ea; --line-0:#1f6fd6; --line-1:#d2640a;
  --line-2:#17876b; --line-3:#8a4bc9; --bad:#b3261e; }
@media (prefers-color-scheme: dark) { :root { --paper:#14181f; --ink:#e4e8ef; --faint:#98a2b3; --rule:#2c3440;
  --line-0:#6aa8ff; --line-1:#ff9d4d; --line-2:#4cc9a4; --line-3:#c79bff; --bad:#ff8a80; } }
body { background:var(--paper); color:var(--ink); font:15px/1.5 system-ui,sans-serif; margin:2rem auto; max-width:56rem; padding:0 1rem; }
h1 { font-size:1.4rem; margin-bottom:0; } h2 { font-size:1.1rem; margin-top:2rem; }
.sub, .tick { color:var(--faint); } .warn { border-left:4px solid var(--bad); padding:.4rem .8rem; }
.facts { display:flex; flex-wrap:wrap; gap:1.5rem; margin:1.2rem 0; } .facts b { display:block; font-size:1.5rem; }
table { border-collapse:collapse; width:100%; font-variant-numeric:tabular-nums; }
th, td { text-align:right; padding:.25rem .6rem; border-bottom:1px solid var(--rule); }
th:first-child, td:first-child, td.text { text-align:left; }
svg { width:100%; height:auto; margin-top:1rem; } svg text { font:11px system-ui,sans-serif; fill:var(--ink); }
svg .title { font-weight:600; font-size:13px; } svg .tick { fill:var(--faint); }
.grid { stroke:var(--rule); } .event { stroke:var(--bad); stroke-dasharray:4 3; } .line { fill:none; stroke-width:1.8; }
pre { overflow-x:auto; }
)css";

// Shares of operations that the latency curve shows, each a tenth as many as the one before.
constexpr std::array kShares{0.0,   0.1,   0.2,    0.3,    0.4,     0.5,     0.6,     0.7,   0.8,
                             0.9,   0.93,  0.95,   0.97,   0.98,    0.99,    0.993,   0.995, 0.997,
                             0.998, 0.999, 0.9995, 0.9999, 0.99995, 0.99999, 0.999999};

double nines(double share) {
  return -std::log10(1 - share);
}

Chart latency_curve(const RunResult& result) {
  Chart chart{.title = "Latency by share of operations", .unit = "ms", .logarithmic = true};
  for (const auto& operation : result.operations) {
    const auto& latency = operation.latency;
    if (latency.count() == 0) continue;
    Line line{.name = operation.name, .points = {}};
    for (const double share : kShares) {
      // Further out stands nobody.
      if (static_cast<double>(latency.count()) * (1 - share) < 1) break;
      line.points.emplace_back(nines(share), ms(latency.quantile(share).value_or(0)));
    }
    chart.lines.push_back(std::move(line));
  }
  double most = 0;
  for (const auto& line : chart.lines) most = std::max(most, line.points.back().first);
  const std::array<std::pair<double, const char*>, 7> marks{{{0.0, "min"},
                                                             {0.5, "50 %"},
                                                             {0.9, "90 %"},
                                                             {0.99, "99 %"},
                                                             {0.999, "99.9 %"},
                                                             {0.9999, "99.99 %"},
                                                             {0.99999, "99.999 %"}}};
  for (const auto& [share, label] : marks) {
    if (nines(share) <= most + 1e-9) chart.ticks.push_back({nines(share), label});
  }
  return chart;
}

std::vector<Tick> events_of(const RunResult& result) {
  std::vector<Tick> events;
  for (const auto& change : result.leader_changes)
    events.push_back(
        {seconds(change.at), fmt::format("leader changed, term {}", change.term_after)});
  return events;
}

Chart rate_timeline(const RunResult& result) {
  Chart chart{.title = "Throughput over time", .unit = "operations a second"};
  chart.x_unit = "s";
  chart.events = events_of(result);
  Line done{.name = "successful", .points = {}};
  Line failed{.name = "failed", .points = {}};
  Line due{.name = "due", .points = {}};
  bool open = false;
  for (const auto& second : telling_seconds(result)) {
    const double at = seconds(second.at);
    const double length = std::max(seconds(second.length), 1e-9);
    done.points.emplace_back(at, static_cast<double>(second.succeeded) / length);
    failed.points.emplace_back(at, static_cast<double>(second.failed) / length);
    due.points.emplace_back(at, second.offered / length);
    open = open || second.offered > 0;
  }
  chart.lines.push_back(std::move(done));
  if (result.failed > 0) chart.lines.push_back(std::move(failed));
  if (open) chart.lines.push_back(std::move(due));
  return chart;
}

Chart latency_timeline(const RunResult& result) {
  Chart chart{.title = "Latency over time", .unit = "ms", .logarithmic = true};
  chart.x_unit = "s";
  chart.events = events_of(result);
  Line p50{.name = "P50", .points = {}};
  Line p99{.name = "P99", .points = {}};
  Line most{.name = "max", .points = {}};
  const auto value = [](const Second& second, std::uint64_t nanoseconds) {
    return second.succeeded > 0 ? ms(nanoseconds) : std::numeric_limits<double>::quiet_NaN();
  };
  for (const auto& second : telling_seconds(result)) {
    const double at = seconds(second.at);
    p50.points.emplace_back(at, value(second, second.p50));
    p99.points.emplace_back(at, value(second, second.p99));
    most.points.emplace_back(at, value(second, second.max));
  }
  chart.lines = {std::move(p50), std::move(p99), std::move(most)};
  return chart;
}

void append_facts(std::string& out, const RunResult& result) {
  const auto quantile = [&result](double share) {
    const auto value = result.latency.quantile(share);
    return value ? fmt::format("{:.2f} ms", ms(*value)) : std::string("-");
  };
  const std::array<std::pair<const char*, std::string>, 5> facts{
      {{"operations a second", fmt::format("{:.2f}", result.throughput())},
       {"P50", quantile(0.5)},
       {"P99", quantile(0.99)},
       {"P99.9", quantile(0.999)},
       {"failed", fmt::format("{}", result.failed)}}};
  out += "<div class=\"facts\">";
  for (const auto& [name, value] : facts) out += fmt::format("<div><b>{}</b>{}</div>", value, name);
  out += "</div>\n";
  if (!client_limit(result).empty()) {
    out += fmt::format(
        "<p class=\"warn\">The throughput is this client&#39;s limit, not the cluster&#39;s: "
        "{}</p>\n",
        escaped(client_limit(result)));
  }
  if (const auto end = end_of(result); !end.empty())
    out += fmt::format("<p class=\"warn\">{}</p>\n", escaped(end));
}

void append_targets(std::string& out, const Record& record) {
  if (record.targets.empty()) return;
  out +=
      "<h2>Targets</h2>\n<table><tr><th>name</th><th>target</th><th>measured</th><th></th></tr>\n";
  for (const auto& target : record.targets) {
    out +=
        fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}{}</td></tr>\n",
                    escaped(target.name), escaped(target.target), escaped(target.measured),
                    name_of(target.outcome), target.why.empty() ? "" : ": " + escaped(target.why));
  }
  out += "</table>\n";
}

void append_settings(std::string& out, const Record& record) {
  const auto& place = record.place;
  out += "<h2>Settings</h2>\n<table>\n";
  const auto row = [&out](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out += fmt::format("<tr><td>{}</td><td class=\"text\">{}</td></tr>\n", escaped(name),
                       escaped(value));
  };
  row("tool", place.tool);
  row("load from", fmt::format("{} ({} cores)", place.host, place.cores));
  row("cluster", fmt::format("{} {}", place.cluster, place.cluster_id));
  row("etcd", fmt::format("{}", fmt::join(place.versions, ", ")));
  row("endpoints", fmt::format("{}", fmt::join(record.result.endpoints, ", ")));
  for (const auto& [name, value] : record.settings) row("--" + name, value);
  out += "</table>\n";
}

}  // namespace

std::string html(const Record& record) {
  const auto& result = record.result;
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n"
      "<title>etcd benchmark: {}</title>\n<style>{}</style></head><body>\n",
      escaped(result.workload), kStyle);
  out += fmt::format("<h1>etcd benchmark: {}</h1>\n<p class=\"sub\">{}, {} measured, {}</p>\n",
                     escaped(result.workload), to_rfc3339(result.began),
                     short_duration(result.measured),
                     record.open_loop ? "open loop: latency counts from when an operation was due"
                                      : "closed loop");
  append_facts(out, result);
  auto curve = latency_curve(result);
  if (!curve.lines.empty()) out += svg(curve);
  if (telling_seconds(result).size() > 1)
    out += svg(rate_timeline(result)) + svg(latency_timeline(result));
  append_targets(out, record);
  out += fmt::format("<h2>Report</h2>\n<pre>{}</pre>\n", escaped(text(record)));
  append_settings(out, record);
  return out + "</body></html>\n";
}

}  // namespace etcdmon::bench::report
