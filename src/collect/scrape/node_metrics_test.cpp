#include "collect/scrape/node_metrics.hpp"

#include <string>

#include <gtest/gtest.h>

namespace etcdmon::collect {
namespace {

using namespace std::chrono_literals;

SteadyTime at(Duration since) {
  return SteadyTime{} + 1000h + since;
}

std::string mounts(const std::string& lines) {
  std::string page;
  for (std::size_t start = 0; start < lines.size();) {
    const auto blank = lines.find(' ', start);
    const auto stop = lines.find('\n', start);
    const auto mount = lines.substr(start, blank - start);
    const auto free = lines.substr(blank + 1, stop - blank - 1);
    page += "node_filesystem_avail_bytes{device=\"d\",fstype=\"ext4\",mountpoint=\"" + mount +
            "\"} " + free + "\n";
    page += "node_filesystem_size_bytes{device=\"d\",fstype=\"ext4\",mountpoint=\"" + mount +
            "\"} 1" + free + "\n";
    start = stop + 1;
  }
  return page;
}

struct MountCase {
  const char* name;
  const char* data_dir;
  const char* mounts;
  std::optional<double> free;
  friend std::ostream& operator<<(std::ostream& os, const MountCase& c) { return os << c.name; }
};

class DataMount : public testing::TestWithParam<MountCase> {};

TEST_P(DataMount, IsTheDeepestThatHoldsTheDataDirectory) {
  NodeMetrics node(GetParam().data_dir);
  EXPECT_EQ(node.on_page(mounts(GetParam().mounts), at(0s)), 0U);
  EXPECT_EQ(node.disk_free(), GetParam().free);
  EXPECT_EQ(node.disk_total().has_value(), GetParam().free.has_value());
}

INSTANTIATE_TEST_SUITE_P(
    Table, DataMount,
    testing::Values(
        MountCase{"OnlyRoot", "/var/lib/etcd", "/ 10\n/boot 20\n", 10},
        MountCase{"Own", "/var/lib/etcd", "/ 10\n/var 20\n/var/lib/etcd 30\n/home 40\n", 30},
        MountCase{"OrderDoesNotMatter", "/var/lib/etcd", "/var/lib/etcd 30\n/var 20\n/ 10\n", 30},
        MountCase{"NameIsNoPath", "/var/lib/etcd", "/ 10\n/var/lib/et 20\n", 10},
        MountCase{"Below", "/var/lib/etcd", "/ 10\n/var/lib/etcd/member 20\n", 10},
        MountCase{"TrailingSlash", "/data", "/ 10\n/data/ 20\n", 20},
        MountCase{"None", "/data", "/boot 10\n", std::nullopt}),
    testing::PrintToStringParamName());

std::string traffic(double received, double sent) {
  const auto line = [](const char* what, const char* device, double value) {
    return std::string("node_network_") + what + "_bytes_total{device=\"" + device + "\"} " +
           std::to_string(value) + "\n";
  };
  return line("receive", "eth0", received) + line("receive", "eth1", 1) +
         line("receive", "lo", 1e9 * received) + line("receive", "veth12", 5 * received) +
         line("transmit", "eth0", sent) + line("transmit", "docker0", 7 * sent) +
         "node_load1 0.5\n";
}

TEST(NodeMetrics, SumsRealInterfaces) {
  NodeMetrics node;
  EXPECT_EQ(node.last_at(), std::nullopt);
  node.on_page(traffic(1000, 500), at(0s));
  EXPECT_EQ(node.receive_rate(), std::nullopt);
  node.on_page(traffic(3000, 1500), at(10s));
  EXPECT_DOUBLE_EQ(*node.receive_rate(), 200);
  EXPECT_DOUBLE_EQ(*node.send_rate(), 100);
  node.on_page(traffic(100, 100), at(20s));  // the host restarted
  EXPECT_DOUBLE_EQ(*node.receive_rate(), (2000 + 101) / 20.0);
  EXPECT_EQ(node.last_at(), at(20s));
}

TEST(NodeMetrics, ForgetsAfterFiveMinutes) {
  NodeMetrics node;
  for (int i = 0; i <= 60; ++i) node.on_page(traffic(i < 30 ? 1e6 * i : 3e7, 0), at(i * 10s));
  EXPECT_NEAR(*node.receive_rate(), 0, 1);
}

TEST(NodeMetrics, WhatThePageLacksIsUnknown) {
  NodeMetrics node;
  EXPECT_EQ(node.on_page("node_load1 1\nbroken\n", at(0s)), 1U);
  EXPECT_EQ(node.disk_free(), std::nullopt);
  EXPECT_EQ(node.receive_rate(), std::nullopt);
}

}  // namespace
}  // namespace etcdmon::collect
