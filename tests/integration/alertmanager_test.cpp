// A real Alertmanager takes our alerts, and is asked what it holds.
#include "notify/alertmanager/alertmanager.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "app/demo/reserved_port.hpp"
#include "kit/loop_test.hpp"
#include "kit/program.hpp"
#include "kit/temp_dir.hpp"
#include "notify/testing/samples.hpp"

namespace etcdmon::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class AlertmanagerTest : public kit::LoopTest {
 protected:
  void SetUp() override {
    auto port = app::demo::ReservedPort::take("127.0.0.1");
    ASSERT_TRUE(port);
    port_ = *std::move(port);
    address_ = "127.0.0.1:" + std::to_string(port_.number());
    const auto config =
        dir_.write("alertmanager.yml", "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n");
    server_.emplace(std::vector<std::string>{
        "prometheus-alertmanager", "--config.file=" + config, "--storage.path=" + dir_.file("data"),
        "--web.listen-address=" + address_, "--cluster.listen-address="});
    ASSERT_TRUE(kit::eventually([&] { return kit::fetch(url() + "/-/ready").status == 200; }))
        << server_->err();
    notify::AlertmanagerOptions options;
    options.urls = {"http://127.0.0.1:1", url()};
    channel_ = notify::make_alertmanager(options, services_);
  }

  std::string url() const { return "http://" + address_; }
  json held(const std::string& query = "?active=true") const {
    return json::parse(kit::fetch(url() + "/api/v2/alerts" + query).body);
  }
  notify::Outcome send(const model::Notification& notification) {
    return run(channel_->send(notification, std::chrono::steady_clock::now() + 5s));
  }
  static model::Notification fresh(model::Notification notification) {
    const auto now = SystemClock{}.now().wall;
    auto& alert = notification.alerts.front();
    alert.starts_at = now - 1min;
    if (alert.ends_at) alert.ends_at = now;
    return notification;
  }

  kit::TempDir dir_;
  app::demo::ReservedPort port_;
  std::string address_;
  std::optional<kit::Program> server_;
  SystemClock clock_;
  net::Outbound outbound_{executor()};
  net::HttpClient http_{outbound_};
  net::Mailer mail_{outbound_};
  notify::Services services_{http_, mail_, executor(), clock_, "https://mon.example.com"};
  std::unique_ptr<notify::Channel> channel_;
};

TEST_F(AlertmanagerTest, ItHoldsWhatFiresAndLetsGoWhatIsOver) {
  const auto sent = send(fresh(notify::testing::firing()));
  ASSERT_TRUE(sent.delivered()) << sent.why;
  const auto firing = held();
  ASSERT_EQ(firing.size(), 1U) << firing.dump();
  EXPECT_EQ(firing[0]["labels"]["alertname"], "HighLatency");
  EXPECT_EQ(firing[0]["labels"]["cluster"], "prod-a");
  EXPECT_EQ(firing[0]["labels"]["severity"], "critical");
  EXPECT_EQ(firing[0]["annotations"]["summary"], "reads take 250 ms");
  EXPECT_EQ(firing[0]["annotations"]["runbook_url"],
            "https://mon.example.com/docs/runbooks/HighLatency.md");
  ASSERT_TRUE(send(fresh(notify::testing::resolved())).delivered());
  EXPECT_TRUE(kit::eventually([&] { return held().empty(); })) << held().dump();
}

TEST_F(AlertmanagerTest, ARefreshTellsARestartedOneWhatFires) {
  const auto alerts = fresh(notify::testing::firing()).alerts;
  const auto refreshed = run(channel_->refresh(alerts, std::chrono::steady_clock::now() + 5s));
  ASSERT_TRUE(refreshed.delivered()) << refreshed.why;
  EXPECT_EQ(held().size(), 1U);
}

TEST_F(AlertmanagerTest, WhatOneRefusesAnotherOneMayTake) {
  auto bad = fresh(notify::testing::firing());
  bad.alerts.front().labels = {{"not a name", "x"}};
  const auto outcome = send(bad);
  EXPECT_EQ(outcome.kind, notify::Outcome::Kind::kRetry)
      << "the instance that is away may take it: " << outcome.why;
}

}  // namespace
}  // namespace etcdmon::test
