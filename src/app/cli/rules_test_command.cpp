#include "app/cli/detail/rules_test_command.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alert/scenario/run.hpp"
#include "app/cli/command.hpp"
#include "app/named_files.hpp"
#include "base/units.hpp"
#include "config/loader.hpp"

namespace etcdmon::app::cli {

namespace {

using alert::scenario::Difference;
using alert::scenario::TestFile;
using nlohmann::json;
using Issues = std::vector<config::Issue>;

struct Tested {
  Issues issues;
  std::size_t cases = 0;
  std::vector<Difference> differences;
};

std::vector<alert::UserRulePtr> rules_of(const TestFile& file, const std::filesystem::path& folder,
                                         Issues& issues) {
  std::vector<alert::UserRulePtr> rules;
  for (const auto& written : file.rule_files) {
    const auto files = files_named((folder / written).string());
    if (files.empty()) issues.push_back({{written, 0}, {}, "there is no such file"});
    for (const auto& name : files) {
      const auto text = config::read_file(name);
      if (!text) {
        issues.push_back({{name, 0}, {}, text.error().message});
        continue;
      }
      auto read = alert::parse_rule_file(*text, name);
      issues.insert(issues.end(), read.issues.begin(), read.issues.end());
      for (auto& rule : read.rules) {
        std::vector<alert::UserRuleFault> faults;
        if (auto made = alert::UserRule::make(std::move(rule), faults))
          rules.push_back(std::move(made));
      }
    }
  }
  return rules;
}

Tested tested(const std::string& name) {
  Tested out;
  const auto text = config::read_file(name);
  if (!text) {
    out.issues.push_back({{name, 0}, {}, text.error().message});
    return out;
  }
  auto file = alert::scenario::parse_test_file(*text, name);
  out.issues = std::move(file.issues);
  const auto rules = rules_of(file, std::filesystem::path(name).parent_path(), out.issues);
  if (!out.issues.empty()) return out;
  for (const auto& test : file.tests) {
    out.cases += test.alerts.size() + test.expressions.size();
    auto found = alert::scenario::run(test, file.evaluation_interval, rules);
    std::ranges::move(found, std::back_inserter(out.differences));
  }
  return out;
}

std::string moment(alert::expr::Millis at) {
  return format_duration(std::chrono::milliseconds(at));
}

std::string indented(std::string text) {
  for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1))
    text.insert(at + 1, "    ");
  return text;
}

void print(const std::string& name, const Tested& result) {
  fmt::print(stderr, "{}", config::to_string(result.issues));
  if (!result.issues.empty()) return;
  if (result.differences.empty()) {
    fmt::print("{}: {} cases, all as expected\n", name, result.cases);
    return;
  }
  fmt::print("{}: {} of {} cases came out differently\n", name, result.differences.size(),
             result.cases);
  for (const auto& difference : result.differences) {
    fmt::print("  {}, at {}, {}\n", difference.test, moment(difference.at), difference.about);
    for (const auto& line : difference.lines) fmt::print("    {}\n", indented(line));
  }
}

json to_json(const std::string& name, const Tested& result) {
  json issues = json::array();
  for (const auto& issue : result.issues) issues.push_back(config::to_string(issue));
  json differences = json::array();
  for (const auto& difference : result.differences) {
    differences.push_back({{"test", difference.test},
                           {"at", moment(difference.at)},
                           {"about", difference.about},
                           {"lines", difference.lines}});
  }
  return {{"file", name},
          {"cases", result.cases},
          {"issues", std::move(issues)},
          {"differences", std::move(differences)}};
}

}  // namespace

int test_rules(std::span<const std::string> files, bool as_json) {
  int exit = kOk;
  json all = json::array();
  for (const auto& name : files) {
    const auto result = tested(name);
    if (!result.issues.empty())
      exit = kUsage;
    else if (!result.differences.empty())
      exit = std::max(exit, kUnhealthy);
    if (as_json)
      all.push_back(to_json(name, result));
    else
      print(name, result);
  }
  if (as_json)
    fmt::print("{}\n", json{{"files", all}}.dump(2, ' ', false, json::error_handler_t::replace));
  return exit;
}

}  // namespace etcdmon::app::cli
