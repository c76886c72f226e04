#include "api/benchmarks.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/json_writer.hpp"
#include "api/rest/common.hpp"
#include "api/stranger.hpp"
#include "api/which_cluster.hpp"
#include "bench/options.hpp"
#include "bench/report/targets.hpp"
#include "config/suggest.hpp"

namespace etcdmon::api {

namespace {

using nlohmann::json;

std::string in_keys(std::string text, char from, char to) {
  std::ranges::replace(text, from, to);
  return text;
}

net::Response bad_request(const net::Request& request, const std::vector<std::string>& errors) {
  JsonWriter list;
  list.begin_array();
  for (const auto& error : errors) list.value(error);
  list.end_array();
  return net::problem(400, "Not a benchmark", fmt::format("{}", fmt::join(errors, "; ")),
                      request.path, "\"errors\":" + list.take());
}

std::vector<std::string> known_flags() {
  std::vector<std::string> names{"preset"};
  for (const auto& flag : bench::option_flags()) names.push_back(flag.name);
  for (const auto& flag : config::flags_of(bench::report::Targets::schema()))
    names.push_back(flag.name);
  return names;
}

// Takes the members of the body apart: its keys are bench's flags with underscores.
void take_member(const std::string& key, const json& value, BenchmarkOrder& order,
                 std::vector<std::string>& errors) {
  if (value.is_null()) return;
  if (value.is_structured()) {
    errors.push_back(fmt::format("{}: is one value, no list or object", key));
    return;
  }
  auto text = value.is_string() ? value.get<std::string>() : value.dump();
  // It would end an argument of the child early.
  if (text.find('\0') != std::string::npos) {
    errors.push_back(fmt::format("{}: holds a NUL character", key));
    return;
  }
  if (key == "cluster") {
    order.cluster = std::move(text);
    return;
  }
  if (key == "type") {
    order.workload = std::move(text);
    return;
  }
  const auto flag = in_keys(key, '_', '-');
  const auto known = known_flags();
  if (std::ranges::find(known, flag) == known.end() || key != in_keys(flag, '-', '_')) {
    const auto near = in_keys(config::closest(flag, known), '-', '_');
    errors.push_back(near.empty() ? fmt::format("{}: unknown", key)
                                  : fmt::format("{}: unknown; did you mean {}?", key, near));
    return;
  }
  order.flags.emplace_back(flag, std::move(text));
}

void append_issues(const std::vector<config::Issue>& issues, std::vector<std::string>& errors) {
  for (const auto& issue : issues) {
    auto key = issue.origin.source;
    if (key.starts_with("--")) key = in_keys(key.substr(2), '-', '_');
    errors.push_back(fmt::format("{}: {}", key, issue.message));
  }
}

// Everything that bench itself would refuse, before a process is started for it.
void check_order(const BenchmarkOrder& order, std::vector<std::string>& errors) {
  std::vector<config::FlagValue> flags;
  bench::Options options;
  for (const auto& [name, value] : order.flags) {
    flags.push_back({name, value});
    if (name != "preset") continue;
    if (const auto* preset = bench::find_preset(value)) {
      bench::apply_preset(options, *preset);
    } else {
      errors.push_back(fmt::format("preset: \"{}\" is not one of s, m, l, xl", value));
    }
  }
  append_issues(bench::apply_flags(options, flags), errors);
  bench::report::Targets targets;
  config::Loader loader(targets, config::read_file);
  loader.apply_flags(flags);
  append_issues(loader.issues(), errors);
  if (!errors.empty()) return;
  auto spec = bench::spec_of(options, order.workload.empty() ? "mixed" : order.workload, 1);
  spec.endpoints = {net::Endpoint{.host = "localhost", .port = 1}};
  errors = bench::complaints(spec);
}

std::vector<std::string> parse_order(const std::string& body, BenchmarkOrder& order) {
  std::vector<std::string> errors;
  const auto document = body.empty() ? json::object() : json::parse(body, nullptr, false);
  if (!document.is_object()) return {"the body is not a JSON object"};
  for (const auto& [key, value] : document.items()) take_member(key, value, order, errors);
  check_order(order, errors);
  return errors;
}

std::string location_of(const BenchmarkRun& run) {
  return fmt::format("{}/{}", Benchmarks::kPath, run.id);
}

// `with_result`: the progress and the result too, which are JSON already.
std::string to_json(const BenchmarkRun& run, bool with_result) {
  JsonWriter out;
  out.begin_object().member("id", run.id);
  out.member("state", name_of(run.state)).member("cluster", run.order.cluster);
  out.member_or_null("type", run.order.workload);
  rest::write_time(out, "started_at", run.started);
  rest::write_time(out, "ended_at", run.ended);
  out.member("exit_code", run.exit_code).member_or_null("error", run.error);
  out.member("location", location_of(run)).key("settings").begin_object();
  for (const auto& [name, value] : run.order.flags) out.member(in_keys(name, '-', '_'), value);
  out.end_object().end_object();
  auto text = out.take();
  if (!with_result) return text;
  text.pop_back();
  return fmt::format("{},\"progress\":{},\"result\":{}}}", text,
                     run.progress.empty() ? "null" : run.progress,
                     run.result.empty() ? "null" : run.result);
}

net::Response answer(int status, std::string body) {
  net::Response response;
  response.status = status;
  response.headers.push_back({"Cache-Control", "no-store"});
  response.body = std::move(body += '\n');
  return response;
}

net::Response not_found(const net::Request& request, std::string_view id) {
  return net::problem(
      404, "Unknown benchmark",
      fmt::format("there is no benchmark {}; {} lists those that there are", id, Benchmarks::kPath),
      request.path);
}

}  // namespace

std::string_view name_of(BenchmarkRun::State state) {
  switch (state) {
    case BenchmarkRun::State::kRunning:
      return "running";
    case BenchmarkRun::State::kFinished:
      return "finished";
    case BenchmarkRun::State::kAborted:
      return "aborted";
    case BenchmarkRun::State::kFailed:
      return "failed";
    case BenchmarkRun::State::kCancelled:
      return "cancelled";
  }
  return "failed";
}

void Benchmarks::add_to(Router& router) {
  using net::Request;
  const std::string one = std::string(kPath) + "/{id}";
  using auth::Action;
  router.add({"POST", std::string(kPath), Access::clusters(Action::kOperate), "start a benchmark"},
             [this](const Request& r, const PathParameters&, const Caller& caller) {
               return answered(start(r, caller));
             });
  router.add({"GET", std::string(kPath), Access::clusters(Action::kRead), "the last benchmarks"},
             [this](const Request&, const PathParameters&, const Caller& caller) {
               return answered(list(caller));
             });
  router.add({"GET", one, Access::clusters(Action::kRead), "one benchmark: progress and result"},
             [this](const Request& r, const PathParameters& path, const Caller& caller) {
               return answered(show(r, caller, path["id"]));
             });
  router.add({"DELETE", one, Access::clusters(Action::kOperate), "cancel it"},
             [this](const Request& r, const PathParameters& path, const Caller& caller) {
               return answered(cancel(r, caller, path["id"]));
             });
}

const BenchmarkRun* Benchmarks::find(std::string_view id, const Caller& caller) const {
  for (const auto* run : runner_.runs()) {
    if (run->id == id && caller.may_see(run->order.cluster)) return run;
  }
  return nullptr;
}

std::optional<net::Response> Benchmarks::take_cluster(const net::Request& request,
                                                      const Caller& caller,
                                                      std::string& name) const {
  if (name.empty()) name = cluster_of(request, source_.clusters());
  if (!name.empty() && !caller.may(auth::Action::kOperate, name))
    return forbidden(request, auth::Action::kOperate);
  const auto names = caller.visible(source_.clusters());
  if (std::ranges::find(names, name) != names.end()) return std::nullopt;
  const auto known = fmt::format("{}", fmt::join(names, ", "));
  if (name.empty()) {
    return net::problem(400, "Which cluster?", fmt::format("say \"cluster\"; there are: {}", known),
                        request.path);
  }
  return net::problem(404, "Unknown cluster",
                      fmt::format("no cluster \"{}\"; there are: {}", name, known), request.path);
}

net::Response Benchmarks::start(const net::Request& request, const Caller& caller) {
  if (auto refused = refuse_stranger(request, caller, "a benchmark")) return *std::move(refused);
  const auto type = request.header("content-type").value_or("application/json");
  if (!type.starts_with("application/json") && !request.body.empty()) {
    return net::problem(415, "Unsupported Media Type", "send the body as application/json",
                        request.path);
  }
  BenchmarkOrder order;
  const auto errors = parse_order(request.body, order);
  if (!errors.empty()) return bad_request(request, errors);
  if (auto refused = take_cluster(request, caller, order.cluster)) return *std::move(refused);
  const auto started = runner_.start(std::move(order));
  if (!started) {
    const bool busy = started.error().code == ErrorCode::kAlreadyExists;
    return net::problem(busy ? 409 : 500, busy ? "One at a time" : "Cannot start a benchmark",
                        started.error().message, request.path);
  }
  const auto* const run = find(*started, Caller::anybody());
  auto response = answer(202, to_json(*run, true));
  response.headers.push_back({"Location", location_of(*run)});
  return response;
}

net::Response Benchmarks::list(const Caller& caller) const {
  std::string body = "{\"benchmarks\":[";
  bool first = true;
  for (const auto* run : runner_.runs()) {
    if (!caller.may_see(run->order.cluster)) continue;
    if (!first) body += ',';
    first = false;
    body += to_json(*run, false);
  }
  return answer(200, body + "]}");
}

net::Response Benchmarks::show(const net::Request& request, const Caller& caller,
                               std::string_view id) const {
  const auto* const run = find(id, caller);
  if (run == nullptr) return not_found(request, id);
  return answer(200, to_json(*run, true));
}

net::Response Benchmarks::cancel(const net::Request& request, const Caller& caller,
                                 std::string_view id) {
  if (auto refused = refuse_stranger(request, caller, "a benchmark")) return *std::move(refused);
  const auto* const run = find(id, caller);
  if (run == nullptr) return not_found(request, id);
  if (!caller.may(auth::Action::kOperate, run->order.cluster))
    return forbidden(request, auth::Action::kOperate);
  const bool running = run->state == BenchmarkRun::State::kRunning;
  if (running) runner_.cancel(id);
  return answer(running ? 202 : 200, to_json(*find(id, caller), true));
}

}  // namespace etcdmon::api
