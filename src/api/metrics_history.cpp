#include "api/metrics_history.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "api/json_writer.hpp"
#include "api/rest/common.hpp"
#include "api/which_cluster.hpp"
#include "base/rfc3339.hpp"
#include "base/units.hpp"
#include "config/suggest.hpp"

namespace etcdmon::api {

namespace {

using net::Request;
using net::Response;
using std::chrono::milliseconds;

constexpr std::chrono::hours kUsualSpan{1};
constexpr std::int64_t kUsualPoints = 300;
// How the cluster's own figures are asked for.
constexpr std::string_view kWholeCluster = "cluster";

Error bad_question(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

// Steps that people can read a clock by.
milliseconds usual_step(WallTime from, WallTime to) {
  using namespace std::chrono_literals;
  constexpr std::array<milliseconds, 14> kSteps = {10s,   15s,   30s, 1min, 2min, 5min, 10min,
                                                   15min, 30min, 1h,  2h,   6h,   12h,  24h};
  const auto least = std::chrono::ceil<milliseconds>((to - from) / kUsualPoints);
  const auto fits = std::ranges::lower_bound(kSteps, least);
  if (fits != kSteps.end()) return *fits;
  return (least / 24h + 1) * milliseconds(24h);
}

Result<WallTime> read_time(std::string_view name, std::string_view text, WallTime now) {
  if (const auto ago = parse_duration(text)) return now - *ago;
  auto time = parse_rfc3339(text);
  if (!time) {
    return bad_question(
        fmt::format("{}: write a time such as 2026-03-02T15:00:00Z, or how long ago: 24h", name));
  }
  return time;
}

Result<model::Metric> read_metric(std::optional<std::string_view> name) {
  std::vector<std::string> known;
  for (const auto& doc : model::metric_docs()) known.emplace_back(doc.name);
  if (!name) return bad_question(fmt::format("say which metric: {}", fmt::join(known, ", ")));
  if (const auto metric = model::parse_metric(*name)) return *metric;
  const auto meant = config::closest(*name, known);
  return bad_question(fmt::format("no metric \"{}\"{}; there are: {}", *name,
                                  meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant),
                                  fmt::join(known, ", ")));
}

Response refuse(const Request& request, const Error& error) {
  const int status = error.code == ErrorCode::kNotFound          ? 404
                     : error.code == ErrorCode::kInvalidArgument ? 400
                                                                 : 503;
  return net::problem(status, net::reason_phrase(status), error.message, request.path);
}

std::string shown_name(const store::HistorySeries& series) {
  return series.member.none() ? std::string(kWholeCluster) : series.member_name;
}

std::string as_json(const store::HistoryRange& range, const store::HistoryAnswer& answer) {
  const auto& doc = model::metric_docs()[static_cast<std::size_t>(range.metric)];
  JsonWriter out;
  out.begin_object().member("cluster", range.cluster).member("metric", doc.name);
  rest::write_time(out, "from", range.from);
  rest::write_time(out, "to", range.to);
  out.member("step_seconds", rest::seconds(answer.step));
  out.member("finest", name_of(answer.finest)).member("coarsest", name_of(answer.coarsest));
  out.key("columns").begin_array();
  for (const auto* column : {"at", "average", "min", "max", "last", "count"}) out.value(column);
  out.end_array().key("series").begin_array();
  for (const auto& series : answer.series) {
    out.begin_object();
    rest::write_id(out, "member_id", series.member);
    out.member("member", shown_name(series)).key("points").begin_array();
    for (const auto& point : series.points) {
      out.begin_array().value(to_rfc3339(point.at)).value(point.average).value(point.min);
      out.value(point.max).value(point.last).value(point.count).end_array();
    }
    out.end_array().end_object();
  }
  out.end_array().end_object();
  return out.take() + '\n';
}

// RFC 4180: a name with what separates fields is quoted.
std::string csv_field(std::string text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted += '"';
}

std::string as_csv(const store::HistoryAnswer& answer) {
  std::string out = "at,member_id,member,average,min,max,last,count\r\n";
  for (const auto& series : answer.series) {
    const auto id = series.member.none() ? std::string() : to_hex(series.member);
    const auto name = csv_field(shown_name(series));
    for (const auto& point : series.points) {
      fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{},{}\r\n", to_rfc3339(point.at),
                     id, name, point.average, point.min, point.max, point.last, point.count);
    }
  }
  return out;
}

}  // namespace

void MetricsHistory::add_to(Router& router) {
  router.add({"GET", "/api/v1/metrics/history", Access::cluster(auth::Action::kRead),
              "a metric over time, as JSON or CSV"},
             [this](const Request& r, const PathParameters&, const Caller& caller) {
               return answer(r, caller);
             });
}

Result<MemberId> MetricsHistory::member(std::string_view text, std::string_view cluster) const {
  if (text == kWholeCluster) return MemberId{};
  const auto view = views_.view(cluster);
  if (view) {
    for (const auto& facts : view->observation.members) {
      if (facts.entry.name == text) return facts.entry.id;
    }
  }
  // Also one that has gone: its history has not.
  if (const auto id = parse_hex(text); id && *id != 0) return MemberId{*id};
  return bad_question(fmt::format(
      "member: \"{}\" is no member's name, no id in hex, and not \"{}\"", text, kWholeCluster));
}

Result<store::HistoryRange> MetricsHistory::read(const Request& request,
                                                 std::string cluster) const {
  store::HistoryRange range;
  range.cluster = std::move(cluster);
  ETCDMON_TRY(range.metric, read_metric(request.parameter("metric")));
  const auto now = clock_.now().wall;
  range.to = now;
  if (const auto text = request.parameter("to")) {
    ETCDMON_TRY(range.to, read_time("to", *text, now));
  }
  range.from = range.to - kUsualSpan;
  if (const auto text = request.parameter("from")) {
    ETCDMON_TRY(range.from, read_time("from", *text, now));
  }
  if (range.from >= range.to) return bad_question("from: is not before \"to\"");
  range.step = usual_step(range.from, range.to);
  if (const auto text = request.parameter("step")) {
    const auto step = parse_duration(*text);
    if (!step || *step < milliseconds(1)) return bad_question("step: write a duration such as 1m");
    range.step = std::chrono::ceil<milliseconds>(*step);
  }
  if (const auto text = request.parameter("member")) {
    ETCDMON_TRY(range.member, member(*text, range.cluster));
  }
  return range;
}

Task<Response> MetricsHistory::answer(const Request& request, const Caller& caller) {
  std::string cluster;
  if (auto refused = choose_cluster(request, views_, caller, cluster))
    co_return *std::move(refused);
  const auto format = request.parameter("format").value_or("json");
  if (format != "json" && format != "csv")
    co_return refuse(request, bad_question("format: json or csv"));
  const auto range = read(request, std::move(cluster));
  if (!range) co_return refuse(request, range.error());
  if (log_ == nullptr) {
    co_return net::problem(404, "No history",
                           "no history is kept: set storage.directory, and look at "
                           "storage.history",
                           request.path);
  }
  const auto found = co_await log_->query(*range);
  if (!found) co_return refuse(request, found.error());
  Response response;
  response.headers.push_back({"Cache-Control", "no-cache"});
  if (format == "csv") {
    response.content_type = "text/csv; charset=utf-8";
    response.body = as_csv(*found);
  } else {
    response.body = as_json(*range, *found);
  }
  co_return response;
}

}  // namespace etcdmon::api
