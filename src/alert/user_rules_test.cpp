#include "alert/user_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alert/rule_file.hpp"
#include "alert/rule_settings.hpp"
#include "alert/testing/scene.hpp"

namespace etcdmon::alert {
namespace {

using namespace std::chrono_literals;
using model::AlertEvent;
using model::Severity;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Two members whose pages come every 10 s.
class OwnRules : public testing::Test {
 protected:
  OwnRules() : scene_(Scene::of(3)) {
    for (const auto* name : {"infra1", "infra2"}) {
      auto series = std::make_shared<series::LabelledSeries>(series::MemberSeries::Options{});
      series->set_own_labels({{"cluster", "prod"},
                              {"job", "etcd"},
                              {"member", name},
                              {"member_id", name == std::string("infra1") ? "1" : "2"}});
      size_.push_back(*series->add_column("size", {}));
      series_.push_back(std::move(series));
    }
  }

  void use(std::vector<UserRuleText> texts) {
    rules_ = tuned_rules({}, {}, {}, texts);
    engine_.set_rules(rules_);
  }
  /// A page of each member, and a step of the engine.
  std::vector<std::string> page(double first, double second) {
    scene_.advance(10s);
    const double values[] = {first, second};
    for (std::size_t i = 0; i < series_.size(); ++i)
      series_[i]->append(scene_.now.steady, scene_.now.wall, std::span(values + i, 1));
    return step();
  }
  std::vector<std::string> step() {
    source_.look_at({series_.begin(), series_.end()}, scene_.now);
    auto input = scene_.input();
    RuleInput with{input.seen, input.assessment, input.members, input.thresholds, {}, &source_};
    std::vector<std::string> told;
    for (const auto& event : engine_.step(scene_.now, with)) {
      events_.push_back(event);
      told.push_back(fmt::format("{} {} {}", model::name_of(event.what), event.alert.rule,
                                 event.alert.subject));
    }
    return told;
  }
  RuleStatus status(std::string_view rule) const {
    for (auto& status : engine_.status()) {
      if (status.rule->user && status.rule->rule->name == rule) return status;
    }
    return {};
  }

  Scene scene_;
  std::vector<std::shared_ptr<series::LabelledSeries>> series_;
  std::vector<series::SeriesId> size_;
  LiveSource source_;
  std::vector<ActiveRule> rules_;
  Engine engine_{"prod", {}};
  std::vector<AlertEvent> events_;
};

TEST_F(OwnRules, GoTheWayOfBuiltInOnes) {
  use({{.alert = "Large",
        .expr = "size > 100",
        .wait = 20s,
        .keep = 15s,
        .labels = {{"severity", "critical"}, {"team", "storage of {{ $labels.member }}"}},
        .annotations = {{"summary", "{{ $labels.member }}: {{ $value }}"},
                        {"description", "too large"},
                        {"runbook_url", "https://wiki/large"},
                        {"dashboard", "https://graphs"}}}});
  EXPECT_THAT(page(50, 60), IsEmpty());
  EXPECT_THAT(page(50, 160), ElementsAre("pending Large infra2"));
  EXPECT_THAT(page(50, 170), IsEmpty());
  EXPECT_THAT(page(50, 180), ElementsAre("firing Large infra2"));
  const auto& alert = events_.back().alert;
  EXPECT_EQ(alert.id, fingerprint("prod", "Large", "infra2"));
  EXPECT_EQ(alert.severity, Severity::kCritical);
  EXPECT_EQ(alert.summary, "infra2: 180");
  EXPECT_EQ(alert.detail, "too large\ndashboard: https://graphs");
  EXPECT_EQ(alert.runbook, "https://wiki/large");
  EXPECT_EQ(alert.value, 180);
  EXPECT_EQ(alert.threshold, 100);
  EXPECT_EQ(alert.labels.at("team"), "storage of infra2");
  EXPECT_EQ(alert.labels.at("cluster"), "prod");
  EXPECT_EQ(alert.labels.at("severity"), "critical");
  EXPECT_EQ(alert.labels.at("member_id"), "2");
  EXPECT_THAT(page(50, 60), IsEmpty()) << "it is kept for 15 s";
  EXPECT_THAT(page(50, 60), ElementsAre("resolved Large infra2"));
  const auto seen = status("Large");
  EXPECT_TRUE(seen.has_data);
  EXPECT_EQ(seen.value, 60);
  EXPECT_EQ(seen.subject, "infra2");
  EXPECT_EQ(seen.threshold, 100);
}

TEST_F(OwnRules, TwoOfOneNameAreTwoAlerts) {
  use({{.alert = "Large", .expr = "size > 100", .labels = {{"severity", "warning"}}},
       {.alert = "Large", .expr = "size > 200", .labels = {{"severity", "critical"}}},
       {.alert = "Large", .expr = "size > 300", .labels = {{"severity", "critical"}}}});
  EXPECT_THAT(page(0, 400), ElementsAre("firing Large infra2 [severity=warning]",
                                        "firing Large infra2 [severity=critical]",
                                        "firing Large infra2 [severity=critical #2]"));
  Engine after("prod", rules_);
  after.restore(engine_.state());
  std::swap(engine_, after);
  EXPECT_THAT(page(0, 400), IsEmpty()) << "a restart tells none of them again";
  EXPECT_THAT(page(0, 150), ElementsAre("resolved Large infra2 [severity=critical]",
                                        "resolved Large infra2 [severity=critical #2]"));
}

TEST_F(OwnRules, OneTakesTheBuiltInOnesPlace) {
  use({{.alert = "etcdNoLeader", .expr = "size > 100"}});
  std::size_t in_force = 0;
  for (const auto& active : rules_) {
    if (active.rule->name == "etcdNoLeader" && active.tuning.enabled) ++in_force;
  }
  EXPECT_EQ(in_force, 1U);
  EXPECT_THAT(page(0, 400), ElementsAre("firing etcdNoLeader infra2"));
}

TEST_F(OwnRules, WhatCannotBeEvaluatedIsAFaultAndEndsNothing) {
  use({{.alert = "Large", .expr = "size > 100"}});
  EXPECT_THAT(page(0, 400), SizeIs(1));
  use({{.alert = "Large", .expr = "size * on(job) size > 100"}});
  EXPECT_THAT(page(0, 400), IsEmpty());
  EXPECT_THAT(status("Large").fault, HasSubstr("several elements"));
  EXPECT_THAT(engine_.active(), SizeIs(1));
}

TEST_F(OwnRules, MetricsThatNobodyHasAreNamed) {
  use({{.alert = "Dead", .expr = "size > 1 and on(member) nothing{x=\"y\"} > 0"},
       {.alert = "Elsewhere", .expr = "size{job=\"other\"} > 1"},
       {.alert = "Either", .expr = "nothing > 1 or size > 1"},
       {.alert = "Absence", .expr = "absent(nothing) or size unless nothing"},
       {.alert = "Late", .expr = "rate(sent_failures_total[5m]) > 0"},
       {.alert = "Quiet", .expr = "size{code=\"never seen\"} > 1"}});
  page(5, 5);
  EXPECT_THAT(status("Dead").unfed, ElementsAre("nothing"));
  EXPECT_THAT(status("Elsewhere").unfed, ElementsAre("size"));
  for (const auto* fed : {"Either", "Absence", "Late"})
    EXPECT_THAT(status(fed).unfed, IsEmpty()) << fed;
  EXPECT_THAT(status("Quiet").unfed, IsEmpty()) << "a label that is yet to come is no fault";
}

TEST_F(OwnRules, AReloadThatLeavesARuleAloneLeavesItsAlertsAlone) {
  const UserRuleText kept{.alert = "Large", .expr = "size > 100", .wait = 30s};
  use({kept});
  page(0, 400);
  page(0, 400);
  use({{.alert = "Other", .expr = "size > 1000"}, kept});
  EXPECT_THAT(step(), IsEmpty());
  page(0, 400);
  EXPECT_THAT(page(0, 400), ElementsAre("firing Large infra2"));
  use({{.alert = "Other", .expr = "size > 1000"}});
  EXPECT_THAT(step(), ElementsAre("resolved Large infra2"));
}

TEST_F(OwnRules, LookAtRangesAndMomentsBefore) {
  use({{.alert = "Grows", .expr = "increase(size{member=\"infra1\"}[1m]) > 40"},
       {.alert = "Falls", .expr = "size < size offset 20s"},
       {.alert = "Grew", .expr = "max_over_time((size > 0)[30s:10s]) > 55"}});
  std::vector<std::string> told;
  for (int i = 1; i <= 7; ++i) {
    for (auto& line : page(i * 10.0, 50 - i)) told.push_back(line);
  }
  EXPECT_THAT(told, testing::UnorderedElementsAre("firing Falls infra2", "firing Grew infra1",
                                                  "firing Grows infra1"));
}

TEST(RuleFile, ReadsWhatPrometheusReads) {
  const auto file = parse_rule_file(R"(
groups:
  - name: etcd
    interval: 30s
    rules:
      - alert: Large
        expr: |
          size
            > 100
        for: 1h30m
        keep_firing_for: 5m
        labels: {severity: critical}
        annotations:
          summary: "{{ $labels.member }}"
)",
                                    "own.yml");
  ASSERT_THAT(file.issues, IsEmpty());
  ASSERT_THAT(file.rules, SizeIs(1));
  EXPECT_EQ(file.rules[0].wait, 90min);
  EXPECT_EQ(file.rules[0].origin, "own.yml, group etcd");
}

TEST(RuleFile, SaysOnWhichLineItIsWrong) {
  const auto file = parse_rule_file(R"(groups:
  - name: etcd
    rules:
      - alert: Large
        exp: size > 100
      - alert: Broken
        expr: size >
      - record: job:size:sum
        expr: sum(size)
      - alert: Text
        expr: size > 1
        for: five
        annotations: {summary: "{{ range }}"}
)",
                                    "own.yml");
  std::vector<std::string> said;
  for (const auto& issue : file.issues) said.push_back(config::to_string(issue));
  EXPECT_THAT(said, ElementsAre(HasSubstr("own.yml:5: groups[0].rules[0].exp: unknown key; did "
                                          "you mean `expr`?"),
                                HasSubstr("own.yml:4: groups[0].rules[0].expr: Large: is needed"),
                                HasSubstr("own.yml:7: groups[0].rules[1].expr: Broken: column 7"),
                                HasSubstr("own.yml:8: groups[0].rules[2].record: recording"),
                                HasSubstr("own.yml:12: groups[0].rules[3].for: \"five\""),
                                HasSubstr("own.yml:13: groups[0].rules[3].annotations: Text")));
}

}  // namespace
}  // namespace etcdmon::alert
