// The monitor killed again and again in the middle of a storm of alerts: nothing is lost, and
// nobody is told twice but by the same message.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kit/command.hpp"
#include "kit/etcd_cluster.hpp"
#include "kit/http_impostor.hpp"
#include "kit/program.hpp"
#include "kit/run.hpp"
#include "kit/temp_dir.hpp"

namespace etcdmon {
namespace {

using namespace std::chrono_literals;
using kit::HttpImpostor;
using nlohmann::json;
using std::chrono::milliseconds;

struct Plan {
  int alerts;
  int kills;
  milliseconds shortest;  ///< a monitor's life
  milliseconds longest;
};

// Rules of a user, each of which fires when the cluster has one key more; each has its own message,
// and the receiver is slow enough for messages to wait at every kill.
class StormScene {
 public:
  explicit StormScene(int alerts) : alerts_(alerts) {
    receiver_.when("/hook", HttpImpostor::Reply{.delay = 5ms});
    std::string rules;
    for (int i = 0; i < alerts_; ++i)
      rules += fmt::format(
          "    - alert: Storm{0:03}\n      expr: etcd_debugging_mvcc_keys_total > {0}\n", i);
    config_ = dir_.write(
        "config.yaml",
        fmt::format(
            "clusters:\n  - name: prod\n    endpoints: [{}]\n"
            "monitoring:\n  metrics_interval: 1s\n"
            "storage:\n  directory: {}\n  history:\n    enabled: false\n"
            "alerts:\n  rules:\n{}"
            "  routing:\n    group_by: [\"...\"]\n    group_interval: 1s\n    dedup_window: 0s\n"
            "  webhook:\n    enabled: true\n    url: {}/hook\n",
            cluster_.endpoint(0), dir_.file("state"), rules, receiver_.url()));
  }

  void raise_to(int level) {
    constexpr int kMostOfOneTransaction = 100;
    while (level_ < level) {
      std::string puts;
      const int end = std::min(level, level_ + kMostOfOneTransaction);
      for (; level_ < end; ++level_)
        puts += fmt::format("{}{{\"requestPut\":{{\"key\":\"{:08}\"}}}}", puts.empty() ? "" : ",",
                            level_);
      ask("txn", fmt::format("{{\"success\":[{}]}}", puts));
    }
  }
  void clear() { ask("deleterange", R"({"key":"AA==","range_end":"AA=="})"); }

  std::unique_ptr<kit::Program> start() const {
    return std::make_unique<kit::Program>(
        std::vector<std::string>{std::string(ETCDMON_BINARY_DIR) + "/bin/etcd-monitor",
                                 "--config=" + config_, "--api-host=127.0.0.1", "--api-port=0"});
  }
  static void kill(kit::Program& monitor) {
    monitor.signal(SIGKILL);
    monitor.wait();
  }

  // By what the message is about: the ids of the messages that said so.
  using Told = std::map<std::string, std::multiset<std::string>>;
  Told told(const std::string& status) const {
    Told told;
    for (const auto& request : receiver_.requests("/hook")) {
      const auto body = json::parse(request.body);
      const auto rule = body["alerts"][0]["rule"].get<std::string>();
      if (rule.starts_with("Storm") && body["status"] == status)
        told[body["dedup_key"]].insert(body["id"].get<std::string>());
    }
    return told;
  }
  bool all_told(const std::string& status, std::chrono::nanoseconds limit) const {
    return kit::eventually([&] { return std::cmp_equal(told(status).size(), alerts_); }, limit);
  }
  // Messages beyond the first with the same id, which a receiver knows how to drop.
  static std::size_t repeated(const Told& told) {
    std::size_t count = 0;
    for (const auto& [key, ids] : told) count += ids.size() - 1;
    return count;
  }

 private:
  // By etcd's JSON gateway.
  void ask(const std::string& what, const std::string& body) const {
    const auto answer =
        kit::fetch(fmt::format("{}/v3/kv/{}", cluster_.endpoint(0), what), {"-d", body});
    ASSERT_EQ(answer.status, 200) << answer.body << answer.error;
  }

  int alerts_;
  int level_ = 0;
  kit::TempDir dir_;
  HttpImpostor receiver_;
  std::string config_;
  kit::EtcdCluster cluster_{{.members = 1}};
};

void expect_one_message_each(const StormScene::Told& told) {
  for (const auto& [key, ids] : told) {
    const std::set<std::string> distinct(ids.begin(), ids.end());
    EXPECT_EQ(distinct.size(), 1U) << key << " was told anew: " << testing::PrintToString(distinct);
  }
}

void ride_out(const Plan& plan) {
  StormScene scene(plan.alerts);
  std::mt19937 random(std::random_device{}());
  std::uniform_int_distribution<int> life(static_cast<int>(plan.shortest.count()),
                                          static_cast<int>(plan.longest.count()));
  for (int i = 0; i < plan.kills; ++i) {
    scene.raise_to(plan.alerts * (i + 1) / plan.kills);
    auto monitor = scene.start();
    std::this_thread::sleep_for(milliseconds(life(random)));
    StormScene::kill(*monitor);
  }
  auto monitor = scene.start();
  ASSERT_TRUE(scene.all_told("firing", 60s))
      << scene.told("firing").size() << " of " << plan.alerts << " were told\n"
      << monitor->err();
  // What is told already, and goes on as it was, is no news after another restart.
  StormScene::kill(*monitor);
  monitor = scene.start();
  std::this_thread::sleep_for(3s);
  const auto told = scene.told("firing");
  EXPECT_TRUE(std::cmp_equal(told.size(), plan.alerts));
  expect_one_message_each(told);
  fmt::print("{} kills, {} alerts: {} messages came twice\n", plan.kills, plan.alerts,
             StormScene::repeated(told));
  scene.clear();
  EXPECT_TRUE(scene.all_told("resolved", 60s))
      << scene.told("resolved").size() << " of " << plan.alerts << " ends were told";
  expect_one_message_each(scene.told("resolved"));
}

TEST(Storm, AFewKillsLoseNothingAndRepeatNothing) {
  ride_out({.alerts = 60, .kills = 4, .shortest = 300ms, .longest = 1'500ms});
}

TEST(StormNightly, TwoHundredKillsLoseNothingAndRepeatNothing) {
  ride_out({.alerts = 500, .kills = 200, .shortest = 100ms, .longest = 2'500ms});
}

}  // namespace
}  // namespace etcdmon
