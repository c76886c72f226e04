// History as who asks for it sees it: over a restart, and after the file was damaged.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kit/etcd_cluster.hpp"
#include "kit/monitor.hpp"
#include "kit/temp_dir.hpp"

namespace etcdmon {
namespace {

using namespace std::chrono_literals;
using kit::EtcdCluster;
using kit::Monitor;
using nlohmann::json;
using testing::HasSubstr;

const std::string kQuestion = "/api/v1/metrics/history?metric=db_size_bytes&from=10m&step=1s";

class History : public testing::Test {
 protected:
  Monitor start() const {
    return Monitor({.flags = {"--endpoints=" + cluster_.endpoint(0), "--metrics-interval=1s",
                              "--storage-directory=" + dir_.file("state")}});
  }
  // How many values there are of the cluster and of its one member together.
  static std::size_t values(const json& answer) {
    std::size_t count = 0;
    for (const auto& series : answer["series"]) {
      for (const auto& point : series["points"]) count += point.back().get<std::size_t>();
    }
    return count;
  }
  static json await_values(const Monitor& monitor, std::size_t more_than) {
    return monitor.until([&](const json& answer) { return values(answer) > more_than; }, 15s,
                         "values over time", kQuestion);
  }
  static void end(Monitor& monitor) {
    const auto ended = monitor.program().terminate();
    ASSERT_TRUE(ended) << monitor.said("does not stop");
    EXPECT_EQ(ended->code, 0) << monitor.said("stopped");
  }

  kit::TempDir dir_;
  EtcdCluster cluster_{{.members = 1}};
};

TEST_F(History, GoesOnAfterARestart) {
  auto first = start();
  const auto before = await_values(first, 4);
  end(first);
  auto second = start();
  const auto after = await_values(second, values(before) + 2);
  ASSERT_EQ(after["series"].size(), 2U);
  EXPECT_EQ(after["series"][0]["member"], "cluster");
  EXPECT_EQ(after["series"][1]["points"][0], before["series"][1]["points"][0]);
  end(second);
}

TEST_F(History, ADamagedFileIsSetAside) {
  const auto path = dir_.file("state/history.db");
  auto first = start();
  await_values(first, 4);
  end(first);
  EXPECT_FALSE(std::filesystem::exists(path + "-wal")) << "a stopped monitor's files may be copied";
  std::ofstream(path, std::ios::trunc) << "no database any more, whatever was here before";
  auto second = start();
  await_values(second, 2);
  EXPECT_THAT(second.program().err() + second.program().out(),
              testing::AllOf(HasSubstr("history.db is damaged"), HasSubstr("history.db.damaged-")));
  std::size_t aside = 0;
  for (const auto& file : std::filesystem::directory_iterator(dir_.file("state")))
    aside += file.path().filename().string().starts_with("history.db.damaged-") ? 1 : 0;
  EXPECT_EQ(aside, 1U);
  end(second);
}

}  // namespace
}  // namespace etcdmon
