#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alert/scenario/run.hpp"

namespace etcdmon::alert::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string steps(std::string_view text) {
  const auto made = parse_steps(text);
  if (!made) return made.error().message;
  std::string out;
  for (const auto& step : *made) {
    if (!out.empty()) out += ' ';
    out += step.what == Step::What::kValue   ? go_number(step.value)
           : step.what == Step::What::kEnded ? "end"
                                             : "_";
  }
  return out;
}

TEST(SeriesNotation, IsPromtools) {
  EXPECT_EQ(steps("1 2.5 -3"), "1 2.5 -3");
  EXPECT_EQ(steps("0+10x3"), "0 10 20 30");
  EXPECT_EQ(steps("5-2x2"), "5 3 1");
  EXPECT_EQ(steps("-1.5+1x2"), "-1.5 -0.5 0.5");
  EXPECT_EQ(steps("7x2 _ _x2 stale"), "7 7 7 _ _ _ end");
  EXPECT_EQ(steps("1e3 NaN Inf"), "1000 NaN +Inf");
  EXPECT_EQ(steps(""), "");
  EXPECT_THAT(steps("1+x3"), HasSubstr("1+x3"));
  EXPECT_THAT(steps("1+2"), HasSubstr("ends with x"));
  EXPECT_THAT(steps("one"), HasSubstr("expected a number"));
  EXPECT_THAT(steps("0x9999999999"), HasSubstr("count"));
}

UserRulePtr rule() {
  std::vector<UserRuleFault> faults;
  return UserRule::make({.alert = "Down",
                         .expr = "up == 0",
                         .wait = std::chrono::minutes(2),
                         .keep = std::chrono::minutes(2),
                         .labels = {{"severity", "critical"}},
                         .annotations = {{"summary", "{{ $labels.instance }}"}}},
                        faults);
}

Test down_from_2_to_6() {
  Test test{.name = "test 1", .interval = 60'000};
  test.input = {{R"(up{instance="a"})", "1 1 0x4 1x10"}};
  return test;
}

AlertCase at(expr::Millis minute, std::vector<ExpectedAlert> expected) {
  return {.at = minute * 60'000, .alert = "Down", .expected = std::move(expected)};
}

TEST(Scenario, AnAlertWaitsFiresIsKeptAndIsOver) {
  auto test = down_from_2_to_6();
  const ExpectedAlert firing{{{"alertname", "Down"}, {"instance", "a"}, {"severity", "critical"}},
                             {{"summary", "a"}}};
  test.alerts = {at(3, {}), at(4, {firing}), at(8, {firing}), at(9, {})};
  EXPECT_THAT(run(test, 60'000, {rule()}), IsEmpty());
}

TEST(Scenario, SaysWhatDiffers) {
  auto test = down_from_2_to_6();
  test.alerts = {
      at(3, {{{{"alertname", "Down"}, {"instance", "a"}, {"severity", "critical"}}, {}}}),
      at(5, {{{{"alertname", "Down"}, {"instance", "a"}, {"severity", "critical"}},
              {{"summary", "b"}}}}),
      at(6, {})};
  test.expressions = {{.at = 60'000, .expression = "up", .expected = {{"up", {}, 1}}}};
  std::vector<std::string> lines;
  for (const auto& difference : run(test, 60'000, {rule()}))
    lines.insert(lines.end(), difference.lines.begin(), difference.lines.end());
  EXPECT_THAT(
      lines,
      ElementsAre(
          R"(missing: {instance="a", severity="critical"})",
          R"(annotation summary of {instance="a", severity="critical"}: expected "b", is "a")",
          HasSubstr(R"(not expected: {instance="a", severity="critical"})"),
          R"(not expected: up{instance="a"} 1)", "missing: up 1"));
}

TEST(TestFile, SaysOnWhichLineItIsWrong) {
  const auto file = parse_test_file(R"(rule_files: [own.yml]
tests:
  - interval: 1m
    input_series:
      - series: 'up{a=~"b"}'
        values: '1x'
    alert_rule_test:
      - eval_time: 5m
        alertnam: Down
    promql_expr_test:
      - expr: sum(
        eval_time: 1m
)",
                                    "test.yml");
  std::vector<std::string> said;
  for (const auto& issue : file.issues) said.push_back(config::to_string(issue));
  EXPECT_THAT(said, SizeIs(5));
  EXPECT_THAT(said, testing::Contains(HasSubstr("test.yml:9: tests[0].alert_rule_test.alertnam: "
                                                "unknown key; did you mean `alertname`?")));
  EXPECT_THAT(said, testing::Contains(HasSubstr("test.yml:11: tests[0].promql_expr_test.expr: "
                                                "column 5")));
}

}  // namespace
}  // namespace etcdmon::alert::scenario
