// `etcd-monitor alerts`, as an operator uses it on a monitor that runs.
#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kit/command.hpp"
#include "kit/etcd_cluster.hpp"
#include "kit/monitor.hpp"

namespace etcdmon {
namespace {

using namespace std::chrono_literals;
using kit::EtcdCluster;
using kit::Monitor;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AlertsCommand : public testing::Test {
 protected:
  void SetUp() override {
    cluster_.raise_alarm(0, "NOSPACE");
    monitor_.until([](const json& answer) { return !firing(answer).empty(); }, 20s, "the alarm",
                   "/api/v1/alerts");
  }

  // The id of the alert that says NOSPACE, where it fires.
  static std::string firing(const json& answer) {
    for (const auto& alert : answer["alerts"]) {
      if (alert["rule"] == "AlarmNospace" && alert["state"] == "firing") return alert["id"];
    }
    return {};
  }

  async::Captured alerts(std::vector<std::string> words) const {
    words.insert(words.begin(), {kit::monitor_binary(), "alerts"});
    words.push_back("--server=" + monitor_.url());
    return kit::command(words);
  }
  json alerts_json(std::vector<std::string> words) const {
    words.insert(words.end(), {"-w", "json"});
    return json::parse(alerts(std::move(words)).out);
  }

  EtcdCluster cluster_{{.members = 1}};
  Monitor monitor_{{.flags = {"--endpoints=" + cluster_.endpoint(0)}}};
};

TEST_F(AlertsCommand, ShowsWhatFires) {
  const auto all = alerts({"list"});
  EXPECT_EQ(all.status.code, 0);
  EXPECT_THAT(all.out, AllOf(HasSubstr("AlarmNospace"), HasSubstr("critical  firing")));
  EXPECT_EQ(alerts({"list", "--fail-on=critical"}).status.code, 3);
  EXPECT_THAT(alerts({"list", "--rule=NoLeader"}).out, HasSubstr("no alert is"));
  EXPECT_EQ(alerts({"list", "--rule=NoLeader", "--fail-on=info"}).status.code, 0);
  EXPECT_THAT(alerts({"history", "--limit=50"}).out, HasSubstr("AlarmNospace"));
  EXPECT_EQ(alerts_json({"channels"})["channels"], json::array());
}

TEST_F(AlertsCommand, TakesCareOfAnAlert) {
  const auto id = firing(alerts_json({"list"}));
  const auto acked = alerts({"ack", id, "--for=1h", "--by=ops", "--comment=on it"});
  EXPECT_EQ(acked.status.code, 0) << acked.err;
  EXPECT_THAT(alerts({"acks"}).out, AllOf(HasSubstr(id), HasSubstr("ops"), HasSubstr("on it")));
  const auto nobody = alerts({"ack", "0000000000000000"});
  EXPECT_EQ(nobody.status.code, 1);
  EXPECT_NE(nobody.err, "");
}

TEST_F(AlertsCommand, SilencesComeAndGo) {
  EXPECT_THAT(alerts({"silence", "list"}).out, HasSubstr("there are no silences"));
  const auto made = alerts_json({"silence", "add", "rule=AlarmNospace", "--for=2h"});
  const std::string id = made["id"];
  EXPECT_THAT(alerts({"silence", "list"}).out, AllOf(HasSubstr(id), HasSubstr("active")));
  EXPECT_EQ(alerts({"silence", "expire", id}).status.code, 0);
  EXPECT_THAT(alerts({"silence", "list"}).out, Not(HasSubstr("active")));
  EXPECT_EQ(alerts({"silence", "add", "rule=X"}).status.code, 2) << "without --for";
  EXPECT_EQ(alerts({"silence", "add", "=", "--for=2h"}).status.code, 2) << "no matcher";
}

TEST_F(AlertsCommand, SaysWhatIsWrong) {
  const struct {
    std::vector<std::string> words;
    int code;
    const char* said;
  } rows[] = {
      {{"lst"}, 2, "did you mean \"list\""},
      {{"list", "now"}, 2, "takes no \"now\""},
      {{"ack"}, 2, "needs ID"},
      {{"list", "--severity=worst"}, 2, "none of info"},
      {{"list", "--cluster=nowhere"}, 1, "no cluster \"nowhere\""},
  };
  for (const auto& row : rows) {
    const auto answer = alerts(row.words);
    EXPECT_EQ(answer.status.code, row.code) << row.words[0];
    EXPECT_THAT(answer.err, HasSubstr(row.said));
  }
  const auto away = kit::command({kit::monitor_binary(), "alerts", "list", "--server=127.0.0.1:1"});
  EXPECT_EQ(away.status.code, 1);
  EXPECT_THAT(away.err, HasSubstr("no monitor answers at http://127.0.0.1:1"));
}

}  // namespace
}  // namespace etcdmon
