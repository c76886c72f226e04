#include "api/rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "alert/user_rule.hpp"
#include "api/testing/answer.hpp"

namespace etcdmon::api {
namespace {

using nlohmann::json;

struct Views final : ViewSource {
  std::vector<std::string> names{"prod", "test"};
  const std::vector<std::string>& clusters() const override { return names; }
  model::ClusterViewPtr view(std::string_view cluster) const override {
    auto view = std::make_shared<model::ClusterView>();
    view->cluster = cluster;
    return view;
  }
  MonitorFacts monitor() const override { return {}; }
};

// One built-in rule and one of a user's.
struct TwoRules final : RuleSource {
  std::vector<alert::ActiveRule> active;

  TwoRules() {
    std::vector<alert::UserRuleFault> faults;
    auto user = alert::UserRule::make(
        {.alert = "Own", .expr = "size > 5", .labels = {{"severity", "critical"}}}, faults);
    for (const auto& rule : alert::default_rules()) {
      if (rule.rule->name == "QuotaSteps") active.push_back(rule);
    }
    active.push_back({&user->rule(), user->rule().tuning, user, {}});
  }
  std::vector<alert::RuleStatus> rules(std::string_view cluster) const override {
    if (cluster != "prod") return {};
    return {{.rule = &active[0], .has_data = true, .value = 70, .subject = "infra1", .pending = 1},
            {.rule = &active[1],
             .has_data = false,
             .threshold = 5,
             .unfed = {"size"},
             .fault = "broken"}};
  }
};

class RulesTest : public ::testing::Test {
 protected:
  RulesTest() { rules_.add_to(router_); }
  net::Response ask(const std::string& query) {
    net::Request request;
    request.method = "GET";
    EXPECT_TRUE(net::parse_target("/api/v1/rules" + query, request.path, request.query));
    return testing::answer_of(router_.dispatch(request, Caller::anybody()));
  }

  Views views_;
  TwoRules two_;
  Rules rules_{two_, views_};
  Router router_;
};

TEST_F(RulesTest, TellsHowEachRuleStands) {
  const auto page = json::parse(ask("").body);
  EXPECT_EQ(page["rules"][0], json::parse(R"({
    "cluster": "prod", "name": "QuotaSteps", "kind": "built_in", "state": "pending",
    "help": "A database fills its quota, step by step.", "for_seconds": 60,
    "keep_firing_for_seconds": 60, "value": 70, "threshold": 65,
    "limits": {"info": 65, "warning": 75, "critical": 85}, "unit": "percent", "subject": "infra1",
    "pending": 1, "firing": 0, "has_data": true, "missing": [], "fault": null})"));
  EXPECT_EQ(page["rules"][1], json::parse(R"({
    "cluster": "prod", "name": "Own", "kind": "own", "state": "inactive", "origin": null,
    "expr": "size > 5", "severity": "critical", "for_seconds": 0, "keep_firing_for_seconds": 0,
    "value": null, "threshold": 5, "unit": null, "subject": null, "pending": 0, "firing": 0,
    "has_data": false, "missing": ["size"], "fault": "broken"})"));
}

TEST_F(RulesTest, TakesOneCluster) {
  EXPECT_EQ(json::parse(ask("?cluster=test").body)["rules"], json::array());
  EXPECT_EQ(ask("?cluster=elsewhere").status, 404);
}

}  // namespace
}  // namespace etcdmon::api
