// kill -9 of the monitor in the middle of a storm of alerts: nothing is lost, and nothing that did
// not change is told again.
#include <csignal>
#include <map>
#include <random>
#include <set>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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

constexpr std::size_t kClusters = 100;

// One etcd, watched under a hundred names: an alarm of it is a hundred alerts at once.
class Storm {
 public:
  Storm() { receiver.when("/hook", HttpImpostor::Reply{.delay = 2ms}); }

  std::unique_ptr<Monitor> start() {
    std::string config = "clusters:\n";
    for (std::size_t i = 0; i < kClusters; ++i)
      config += fmt::format("  - {{name: c{}, endpoints: [\"{}\"]}}\n", i, cluster.endpoint(0));
    config += fmt::format(
        "storage: {{directory: {}}}\nalerts:\n  console: {{enabled: false}}\n"
        "  webhook: {{enabled: true, url: \"{}/hook\"}}\n",
        dir.file("state"), receiver.url());
    const auto file = dir.write("config.yaml", config);
    return std::make_unique<Monitor>(Monitor::Options{.flags = {"--config=" + file}});
  }

  // How often each alert was told that it fires.
  std::map<std::string, std::set<std::string>> told() const {
    std::map<std::string, std::set<std::string>> messages;
    for (const auto& request : receiver.requests("/hook")) {
      const auto body = json::parse(request.body);
      if (body["alerts"][0]["rule"] != "AlarmNospace") continue;
      messages[body["dedup_key"]].insert(fmt::format("{} {}", body["status"], body["id"]));
    }
    return messages;
  }

  kit::TempDir dir;
  HttpImpostor receiver;
  EtcdCluster cluster{{.members = 1}};
};

void survive(int rounds) {
  Storm storm;
  const auto seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  auto running = storm.start();
  storm.cluster.raise_alarm(0, "NOSPACE");
  for (int round = 0; round < rounds; ++round) {
    const auto before = storm.receiver.requests("/hook").size();
    // Somewhere between the first alert and the last message.
    const auto more = std::uniform_int_distribution<std::size_t>(0, 2 * kClusters / 10)(random);
    storm.receiver.await_requests(before + more, 1s);
    running->program().signal(SIGKILL);
    running->program().wait();
    running = storm.start();
  }
  const bool all = kit::eventually([&] { return storm.told().size() >= kClusters; }, 60s);
  const auto told = storm.told();
  EXPECT_TRUE(all) << "told of " << told.size() << " of " << kClusters << running->said("");
  for (const auto& [key, messages] : told)
    EXPECT_EQ(messages.size(), 1U) << key << ": " << testing::PrintToString(messages);
  const auto ended = running->program().terminate();
  EXPECT_TRUE(ended && ended->ok()) << running->said("no clean stop");
}

TEST(DeliveryStorm, SurvivesTwentyKills) {
  survive(20);
}

TEST(DeliveryStormNightly, SurvivesTwoHundredKills) {
  survive(200);
}

}  // namespace
}  // namespace etcdmon
