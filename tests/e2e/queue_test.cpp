// Notifications in a Redis that comes and goes, and that two monitors share; what was given up; the
// heartbeat.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kit/command.hpp"
#include "kit/etcd_cluster.hpp"
#include "kit/http_impostor.hpp"
#include "kit/monitor.hpp"
#include "kit/redis_server.hpp"
#include "kit/temp_dir.hpp"

namespace etcdmon {
namespace {

using namespace std::chrono_literals;
using kit::HttpImpostor;
using kit::Monitor;
using nlohmann::json;
using testing::HasSubstr;

class Queue : public testing::Test {
 protected:
  Queue() { receiver_.when("/hook", HttpImpostor::Reply{}); }

  // `queue` stands under `queue.redis`; empty: no Redis.
  Monitor monitor(const std::string& name, const std::string& queue,
                  const std::string& alerts = {}) {
    auto text = fmt::format(
        "clusters:\n  - name: prod\n    endpoints: [{}]\n"
        "storage:\n  directory: {}\n"
        "alerts:\n  rules:\n    - name: AlarmNospace\n      keep_firing_for: 0s\n"
        "  routing:\n    group_interval: 1s\n"
        "  webhook:\n    enabled: true\n    url: {}/hook\n{}",
        cluster_.endpoint(0), dir_.file(name), receiver_.url(), alerts);
    if (!queue.empty())
      text += fmt::format("queue:\n  type: redis\n  redis:\n    url: {}\n{}", redis_.url(), queue);
    return Monitor({.flags = {"--config=" + dir_.write(name + ".yaml", text)}});
  }
  // How often people were told that the alarm is on ("firing") or over ("resolved").
  long told(const std::string& status) const {
    const auto requests = receiver_.requests("/hook");
    return std::ranges::count_if(requests, [&](const HttpImpostor::Request& request) {
      const auto body = json::parse(request.body);
      return body["status"] == status && body["alerts"][0]["rule"] == "AlarmNospace";
    });
  }
  bool await_told(const std::string& status, std::chrono::nanoseconds limit = 30s) const {
    return kit::eventually([&] { return told(status) > 0; }, limit);
  }
  // How many notifications are in Redis.
  std::string waiting() const { return redis_.cli({"XLEN", "{etcdmon}:q:webhook:stream"}); }
  static void await_firing(const Monitor& running) {
    running.until(
        [](const json& answer) { return answer.dump().find("AlarmNospace") != std::string::npos; },
        20s, "the alarm", "/api/v1/alerts");
  }

  kit::TempDir dir_;
  HttpImpostor receiver_;
  kit::RedisServer redis_;
  kit::EtcdCluster cluster_{{.members = 1}};
};

constexpr const char* kPatient = "    deliver_after: 10m\n";

TEST_F(Queue, RedisComesLateAndDiesInTheMiddleAndNothingIsLost) {
  auto running = monitor("a", kPatient);
  cluster_.raise_alarm(0, "NOSPACE");
  await_firing(running);
  ASSERT_TRUE(running.program().await_text("the shared outbox is away")) << running.said("no edge");
  EXPECT_EQ(told("firing"), 0);
  EXPECT_THAT(kit::fetch(running.url("/metrics")).body, HasSubstr("etcdmon_queue_redis_up 0"));
  redis_.start();
  ASSERT_TRUE(await_told("firing")) << running.said("not drained");
  redis_.kill();
  cluster_.disarm_alarms();
  running.until(
      [](const json& answer) { return answer.dump().find("AlarmNospace") == std::string::npos; },
      60s, "the alarm is over", "/api/v1/alerts");
  EXPECT_EQ(told("resolved"), 0);
  redis_.start();
  ASSERT_TRUE(await_told("resolved")) << running.said("not drained the second time");
  EXPECT_EQ(told("firing"), 1);
  EXPECT_EQ(told("resolved"), 1);
  EXPECT_TRUE(kit::eventually([&] { return waiting() == "0\n"; }));
}

TEST_F(Queue, WhenRedisStaysAwayItIsDeliveredWithoutIt) {
  auto running = monitor("a", "    deliver_after: 1s\n");
  cluster_.raise_alarm(0, "NOSPACE");
  EXPECT_TRUE(await_told("firing")) << running.said("waits for Redis");
}

TEST_F(Queue, TwoMonitorsOnOneRedisTellOnce) {
  redis_.start();
  auto first = monitor("a", kPatient);
  auto second = monitor("b", kPatient);
  cluster_.raise_alarm(0, "NOSPACE");
  await_firing(first);
  await_firing(second);
  ASSERT_TRUE(await_told("firing")) << second.said("not told");
  cluster_.disarm_alarms();
  ASSERT_TRUE(await_told("resolved", 60s)) << second.said("the end is not told");
  // Long enough for the one that is a step behind.
  EXPECT_FALSE(kit::eventually([&] { return told("resolved") > 1; }, 3s));
  EXPECT_EQ(told("firing"), 1);
}

TEST_F(Queue, WhatWasGivenUpIsSeenSentAgainAndDropped) {
  receiver_.when("/hook", HttpImpostor::Reply{.status = 404, .body = "no such hook"});
  auto running = monitor("a", "");
  cluster_.raise_alarm(0, "NOSPACE");
  const auto alerts = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {kit::monitor_binary(), "alerts", "dead"});
    words.push_back("--server=" + running.url());
    return kit::command(words);
  };
  EXPECT_THAT(alerts({}).out, HasSubstr("no notification was given up"));
  ASSERT_TRUE(kit::eventually([&] { return !receiver_.requests("/hook").empty(); }, 20s));
  ASSERT_TRUE(kit::eventually(
      [&] { return alerts({}).out.find("HTTP 404: no such hook") != std::string::npos; }));
  ASSERT_TRUE(kit::eventually([&] {
    return kit::fetch(running.url("/metrics"))
               .body.find("etcdmon_outbox_dead_letters{channel=\"webhook\"} 0") ==
           std::string::npos;
  }));
  EXPECT_EQ(alerts({"retry", "nonsense"}).status.code, 1);
  const auto refused = receiver_.requests("/hook").size();
  receiver_.when("/hook", HttpImpostor::Reply{});
  const auto retried = alerts({"retry", "all"});
  EXPECT_EQ(retried.status.code, 0) << retried.err;
  EXPECT_TRUE(kit::eventually([&] { return receiver_.requests("/hook").size() > refused; }));
  EXPECT_THAT(alerts({}).out, HasSubstr("no notification was given up"));
}

TEST_F(Queue, TheHeartbeatSaysWhomItBelievesWhenItIsBlind) {
  receiver_.when("/beat", HttpImpostor::Reply{});
  receiver_.when("/blind", HttpImpostor::Reply{});
  auto running = monitor("a", "",
                         fmt::format("  heartbeat:\n    enabled: true\n    interval: 5s\n"
                                     "    url: {0}/beat\n    blind_url: {0}/blind\n",
                                     receiver_.url()));
  ASSERT_TRUE(kit::eventually([&] { return !receiver_.requests("/beat").empty(); }, 15s))
      << running.said("no beat");
  const auto body = json::parse(receiver_.requests("/beat").front().body);
  EXPECT_EQ(body["status"], "ok");
  EXPECT_EQ(body["clusters"][0]["state"], "healthy") << body;
  cluster_.kill(0);
  ASSERT_TRUE(kit::eventually([&] { return !receiver_.requests("/blind").empty(); }, 20s))
      << running.said("not blind");
  const auto blind = json::parse(receiver_.requests("/blind").back().body);
  EXPECT_EQ(blind["status"], "blind");
  EXPECT_EQ(blind["clusters"][0]["believed"], "cluster") << blind;
  EXPECT_THAT(kit::fetch(running.url("/metrics")).body,
              HasSubstr("etcdmon_heartbeats{outcome=\"withheld\"} 0"));
}

}  // namespace
}  // namespace etcdmon
