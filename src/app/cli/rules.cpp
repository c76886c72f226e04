// `rules`: rules of a running monitor, and rules tried out.
#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alert/rule.hpp"
#include "app/cli/command.hpp"
#include "app/cli/detail/alert_desk.hpp"
#include "app/cli/detail/monitor_client.hpp"
#include "app/cli/detail/rules_test_command.hpp"
#include "app/cli/start_up.hpp"

namespace etcdmon::app::cli {

namespace {

using nlohmann::json;

const Usage& usage() {
  static const Usage kUsage{
      .line = "etcd-monitor rules list|test FILE... [flags]",
      .about =
          "list: every rule of a running monitor: its state, the worst of its values against its "
          "threshold, and whether what\nit looks at is there.\n"
          "test: runs unit tests of rules as `promtool test rules` does, in the same files: series "
          "that are written down,\n"
          "and which alerts they bring when. Needs no monitor, no etcd and no configuration.\n\n"
          "Exit code 0: all is as expected; 1: it is not, or nobody answers; 2: bad flags, "
          "arguments or files.",
      .examples =
          "  etcd-monitor rules list --cluster=prod\n"
          "  etcd-monitor rules test tests/*.yml\n"
          "  etcd-monitor rules test own_rules.yml -w json\n"};
  return kUsage;
}

std::vector<config::FlagSpec> rules_flags() {
  return {{"w", "format", "Output: simple or json.", "simple", "", "Rules"},
          {"write-out", "format", "The same as -w.", "simple", "", "Rules"}};
}

std::vector<config::Issue> check_rules_flags(const config::ParsedFlags& flags) {
  std::vector<config::Issue> issues;
  for (const auto* name : {"w", "write-out"}) {
    const auto* value = flags.last(name);
    if (value == nullptr || *value == "json" || *value == "simple") continue;
    issues.push_back({{fmt::format("--{}", name), 0},
                      {},
                      fmt::format("\"{}\" is neither simple nor json", *value)});
  }
  return issues;
}

bool wants_json(const config::ParsedFlags& flags) {
  for (const auto* name : {"w", "write-out"}) {
    const auto* value = flags.last(name);
    if (value != nullptr && *value == "json") return true;
  }
  return false;
}

// Without control characters: names of members and labels are strangers' words.
std::string text_in(const json& object, const char* name) {
  const auto text = object.value(name, json());
  if (!text.is_string()) return {};
  auto plain = text.get<std::string>();
  std::ranges::replace_if(plain, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }, ' ');
  return plain;
}

std::string number_in(const json& rule, const char* name) {
  const auto value = rule.value(name, json());
  if (!value.is_number()) return "-";
  const auto unit = text_in(rule, "unit");
  return alert::to_text(unit == "seconds"      ? alert::Unit::kSeconds
                        : unit == "percent"    ? alert::Unit::kPercent
                        : unit == "per_second" ? alert::Unit::kPerSecond
                                               : alert::Unit::kNone,
                        value.get<double>());
}

std::string data_of(const json& rule) {
  if (text_in(rule, "state") == "off") return "-";
  std::string missing;
  for (const auto& metric : rule.value("missing", json::array())) {
    missing += missing.empty() ? "no " : ", ";
    missing += metric.get<std::string>();
  }
  if (!missing.empty()) return missing;
  return rule.value("has_data", true) ? "yes" : "none";
}

int list(const StartUp& start) {
  const auto fail = [](const Error& error) {
    fmt::print(stderr, "etcd-monitor rules: {}\n", error.message);
    return error.code == ErrorCode::kInvalidArgument ? kUsage : kUnhealthy;
  };
  const auto monitor = MonitorClient::from(start.loaded, start.request.environment);
  if (!monitor) return fail(monitor.error());
  const auto* cluster = start.loaded.flags.last("cluster");
  const auto answer = monitor->get(
      cluster != nullptr ? "/api/v1/rules?cluster=" + url_escape(*cluster) : "/api/v1/rules");
  if (!answer) return fail(answer.error());
  if (wants_json(start.loaded.flags)) {
    fmt::print("{}\n", answer->dump(2));
    return kOk;
  }
  std::vector<std::vector<std::string>> rows = {
      {"CLUSTER", "RULE", "STATE", "VALUE", "THRESHOLD", "OF", "DATA"}};
  std::string faults;
  for (const auto& rule : answer->value("rules", json::array())) {
    const auto name = text_in(rule, "name") + (text_in(rule, "kind") == "own" ? " (own)" : "");
    rows.push_back({text_in(rule, "cluster"), name, text_in(rule, "state"),
                    number_in(rule, "value"), number_in(rule, "threshold"),
                    text_in(rule, "subject"), data_of(rule)});
    if (const auto fault = text_in(rule, "fault"); !fault.empty())
      faults += fmt::format("{}: {}\n", name, fault);
  }
  fmt::print("{}{}", columns(rows), faults.empty() ? "" : "\n" + faults);
  return kOk;
}

// Without settings: a test must not hang on a configuration that lies about.
int run_test(std::span<const std::string> arguments) {
  const auto flags = config::parse_flags(rules_flags(), arguments);
  auto issues = flags.issues;
  for (auto& issue : check_rules_flags(flags)) issues.push_back(std::move(issue));
  if (issues.empty() && flags.arguments.empty())
    issues.push_back({{"etcd-monitor rules test", 0}, {}, "say which files"});
  if (issues.empty()) return test_rules(flags.arguments, wants_json(flags));
  fmt::print(stderr, "{}", config::to_string(issues));
  return kUsage;
}

}  // namespace

int run_rules(const std::vector<std::string>& arguments) {
  const auto asks = [](const std::string& word) { return word == "--help" || word == "-help"; };
  const bool helps = std::ranges::any_of(arguments, asks);
  if (!helps && !arguments.empty() && arguments[0] == "test")
    return run_test(std::span(arguments).subspan(1));
  auto known = rules_flags();
  known.push_back({"cluster", "name", "list: only of this cluster.", "", "", "Rules"});
  for (auto& flag : monitor_client_flags()) known.push_back(std::move(flag));
  auto [start, exit] = start_up(arguments, usage(), std::move(known), true, check_rules_flags);
  if (!start) return exit;
  if (start->loaded.flags.arguments == std::vector<std::string>{"list"}) return list(*start);
  fmt::print(stderr, "etcd-monitor rules: say list or test; see etcd-monitor rules --help\n");
  return kUsage;
}

}  // namespace etcdmon::app::cli
