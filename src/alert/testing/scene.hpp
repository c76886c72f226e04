// alert/testing/scene.hpp: a cluster in which anything may be switched on, for the tests of this
// folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/engine.hpp"

namespace etcdmon::alert {

struct Scene {
  model::Observation seen;
  model::Assessment assessment;
  std::vector<model::MemberView> members;
  Thresholds thresholds;
  std::optional<WallTime> last_backup;
  Now now{SteadyTime(std::chrono::seconds(100'000)), WallTime(std::chrono::seconds(1'760'000'000))};

  Scene() { seen.at = now; }
  /// A healthy cluster of voters infra1, infra2, …
  static Scene of(int voters) {
    Scene scene;
    for (int i = 1; i <= voters; ++i) scene.add_member();
    scene.assessment.quorum = {.voters = voters,
                               .quorum_size = voters / 2 + 1,
                               .available = voters,
                               .failures_tolerated = voters - (voters / 2 + 1),
                               .has_quorum = true};
    return scene;
  }

  void add_member() {
    const auto n = members.size() + 1;
    model::MemberFacts facts;
    facts.entry.id = MemberId{n};
    facts.entry.name = "infra" + std::to_string(n);
    facts.status.emplace();
    facts.status->version = "3.6.99";
    seen.members.push_back(facts);
    assessment.members.push_back(
        {.id = facts.entry.id, .name = facts.entry.name, .reach = model::Reach::kReachable});
    members.emplace_back();
  }
  Scene& set(model::Metric metric, double value, std::size_t member = 0) {
    members[member].values.set(metric, value);
    return *this;
  }

  RuleInput input() const { return {seen, assessment, members, thresholds, last_backup}; }
  void advance(Duration d) {
    now.steady += d;
    now.wall += d;
    seen.at = now;
  }
  void verdict(model::Check check, model::Severity severity, std::string subject = "infra1",
               MemberId member = MemberId{1}) {
    assessment.verdicts.push_back({.check = check,
                                   .severity = severity,
                                   .member = member,
                                   .subject = std::move(subject),
                                   .summary = "it is so",
                                   .since = now.steady});
  }

  /// The firing alert of one rule alone, when the scene has stood still for `time`.
  std::optional<model::Alert> fires(std::string_view rule, Duration time) {
    std::vector<ActiveRule> rules;
    for (auto& active : default_rules(thresholds)) {
      if (active.rule->name == rule) rules.push_back(active);
    }
    Engine engine("prod", rules);
    (void)engine.step(now, input());
    advance(time);
    (void)engine.step(now, input());
    for (auto& alert : engine.active()) {
      if (alert.state == model::AlertState::kFiring) return alert;
    }
    return std::nullopt;
  }
};

}  // namespace etcdmon::alert
