// From an etcd that has trouble to the HTTP request that tells somebody, and over restarts.
#include <csignal>
#include <set>
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
#include "kit/temp_dir.hpp"

namespace etcdmon {
namespace {

using namespace std::chrono_literals;
using kit::EtcdCluster;
using kit::HttpImpostor;
using kit::Monitor;
using nlohmann::json;
using testing::HasSubstr;

class Delivery : public testing::TestWithParam<kit::EtcdVersion> {
 protected:
  Delivery() { receiver_.when("/hook", HttpImpostor::Reply{}); }

  // A monitor that tells the receiver, with a directory that outlives it.
  Monitor monitor(const std::string& more = {}) {
    const auto file =
        dir_.write("config.yaml",
                   fmt::format("clusters:\n  - name: prod\n    endpoints: [{}]\n"
                               "storage:\n  directory: {}\n"
                               "alerts:\n  webhook:\n    enabled: true\n    url: {}/hook\n{}",
                               cluster_.endpoint(0), dir_.file("state"), receiver_.url(), more));
    return Monitor({.flags = {"--config=" + file}});
  }
  std::vector<json> bodies() const {
    std::vector<json> all;
    for (const auto& request : receiver_.requests("/hook"))
      all.push_back(json::parse(request.body));
    return all;
  }
  bool told(const std::string& rule, const std::string& status,
            std::chrono::nanoseconds limit = 20s) const {
    return kit::eventually([&] { return count(rule, status) > 0; }, limit);
  }
  long count(const std::string& rule, const std::string& status) const {
    const auto all = bodies();
    return std::ranges::count_if(all, [&](const json& body) {
      return body["alerts"][0]["rule"] == rule && body["status"] == status;
    });
  }
  static void await_firing(const Monitor& running, const std::string& rule) {
    running.until([&](const json& alerts) { return alerts.dump().find(rule) != std::string::npos; },
                  20s, rule + " fires", "/api/v1/alerts");
  }

  kit::TempDir dir_;
  HttpImpostor receiver_;
  EtcdCluster cluster_{{.version = GetParam(), .members = 1}};
};

INSTANTIATE_TEST_SUITE_P(Versions, Delivery, testing::ValuesIn(kit::etcd_versions()),
                         kit::version_name);

TEST_P(Delivery, AnAlertIsToldAndItsEndToo) {
  auto running = monitor();
  cluster_.raise_alarm(0, "NOSPACE");
  ASSERT_TRUE(told("AlarmNospace", "firing")) << running.said("not told");
  const auto body = bodies().front();
  EXPECT_EQ(body["severity"], "critical");
  EXPECT_EQ(body["why"], "new");
  EXPECT_EQ(body["alerts"][0]["cluster"], "prod");
  EXPECT_THAT(body["alerts"][0]["runbook"].get<std::string>(), HasSubstr("AlarmNospace"));
  cluster_.disarm_alarms();
  ASSERT_TRUE(told("AlarmNospace", "resolved", 60s)) << running.said("not resolved");
  EXPECT_EQ(bodies().back()["dedup_key"], body["dedup_key"]);
  EXPECT_EQ(count("AlarmNospace", "firing"), 1);
}

TEST_P(Delivery, ARestartRepeatsNothing) {
  {
    auto running = monitor();
    cluster_.raise_alarm(0, "NOSPACE");
    ASSERT_TRUE(told("AlarmNospace", "firing")) << running.said("not told");
    const auto ended = running.program().terminate();
    ASSERT_TRUE(ended) << running.said("did not stop");
    EXPECT_TRUE(ended->ok()) << running.said("no clean stop");
  }
  for (int i = 0; i < 3; ++i) {
    auto running = monitor();
    await_firing(running, "AlarmNospace");
    running.program().signal(SIGKILL);
    running.program().wait();
  }
  EXPECT_EQ(count("AlarmNospace", "firing"), 1);
  EXPECT_EQ(count("AlarmNospace", "resolved"), 0);
}

TEST_P(Delivery, WhatNobodyTookIsSentAfterARestart) {
  receiver_.when("/hook", HttpImpostor::Reply{.status = 503});
  {
    auto running = monitor();
    cluster_.raise_alarm(0, "NOSPACE");
    ASSERT_TRUE(receiver_.await_requests(2, 20s)) << running.said("not tried again");
    running.program().signal(SIGKILL);
    running.program().wait();
    EXPECT_THAT(running.program().err(), HasSubstr("a notification was not delivered"));
  }
  const auto tried = receiver_.requests("/hook");
  receiver_.when("/hook", HttpImpostor::Reply{});
  auto running = monitor();
  ASSERT_TRUE(kit::eventually([&] { return receiver_.requests("/hook").size() > tried.size(); }))
      << running.said("forgotten");
  const auto last = receiver_.requests("/hook").back();
  EXPECT_EQ(last.header("webhook-id"), tried.front().header("webhook-id"));
}

}  // namespace
}  // namespace etcdmon
