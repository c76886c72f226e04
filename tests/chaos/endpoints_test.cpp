// Addresses where there is no etcd, and /metrics that cannot be had.
#include <algorithm>
#include <fstream>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/demo/reserved_port.hpp"
#include "chaos/versions.hpp"
#include "kit/etcd_cluster.hpp"
#include "kit/http_impostor.hpp"
#include "kit/program.hpp"
#include "kit/split_port.hpp"
#include "kit/tcp_gate.hpp"
#include "kit/watched.hpp"

namespace etcdmon {
namespace {

using namespace std::chrono_literals;
using kit::all_well;
using kit::both;
using kit::EtcdCluster;
using kit::has;
using kit::HttpImpostor;
using kit::no;
using kit::reach_is;
using kit::SplitPort;
using kit::TcpGate;
using kit::Watched;
using model::Check;
using model::Reach;
using testing::HasSubstr;
using testing::IsEmpty;
using Reply = HttpImpostor::Reply;

const model::Verdict* unusable(const model::ClusterView& view, const std::string& url) {
  const auto& verdicts = view.assessment.verdicts;
  const auto found = std::ranges::find_if(verdicts, [&](const model::Verdict& verdict) {
    return verdict.check == Check::kEndpointUnusable && verdict.subject == url;
  });
  return found == verdicts.end() ? nullptr : &*found;
}

class Endpoints : public testing::TestWithParam<kit::EtcdVersion> {};

TEST_P(Endpoints, WhatIsNotEtcdIsNamedBesideAHealthyCluster) {
  const EtcdCluster cluster({.version = GetParam()});
  const HttpImpostor web_server;
  const auto reserved = app::demo::ReservedPort::take("127.0.0.1");
  TcpGate black_hole(cluster.endpoint(0));
  black_hole.ignore();
  const std::map<std::string, std::string> bad = {
      {web_server.url(), "not etcd"},
      {fmt::format("http://127.0.0.1:{}", reserved->number()), "nothing listens there"},
      {"http://" + black_hole.address(), "cannot be reached"},
  };
  std::vector<std::string> endpoints = {cluster.endpoint(0)};
  for (const auto& [url, says] : bad) endpoints.push_back(url);
  Watched watched({.endpoints = endpoints,
                   .adjust = [](app::ClusterOptions& made) { made.collect.dial_timeout = 1s; }});
  const auto members_well = [](const model::ClusterView& seen) {
    return std::ranges::count_if(seen.assessment.members, [](const auto& member) {
             return !member.id.none() && member.reach == Reach::kReachable;
           }) == 3;
  };
  EXPECT_LT(watched.until(members_well, 5s, "its members"), 1s) << "whatever hangs beside them";
  for (const auto& [url, says] : bad) watched.until(has(Check::kEndpointUnusable, url), 10s, url);
  const auto view = watched.view();
  for (const auto& [url, says] : bad)
    EXPECT_THAT(unusable(*view, url)->summary, HasSubstr(says)) << watched.story();
  watched.stays(members_well, 3s, "the members are well");
  EXPECT_THAT(watched.said_besides({"EndpointUnusable"}), IsEmpty()) << watched.story();
  EXPECT_THAT(watched.alerts_fired(), IsEmpty());
}

TEST_P(Endpoints, OnlyAWebServerIsNoHealthyCluster) {
  const HttpImpostor web_server;
  Watched watched({.endpoints = {web_server.url()}});
  watched.until(has(Check::kEndpointUnusable, web_server.url()), 10s, "unusable");
  watched.stays(no(kit::healthy()), 3s, "never healthy");
  EXPECT_EQ(unusable(*watched.view(), web_server.url())->severity, model::Severity::kCritical);
  EXPECT_THAT(watched.said_besides({"EndpointUnusable"}), IsEmpty()) << watched.story();
  EXPECT_LT(web_server.connections(), 40) << "it is not flooded";
}

TEST_P(Endpoints, OverIpv6) {
  EtcdCluster::Options options{.version = GetParam(), .members = 1};
  options.place = [](std::size_t) { return kit::LocalEtcd::Place{.host = "::1"}; };
  const EtcdCluster cluster(std::move(options));
  ASSERT_THAT(cluster.endpoint(0), HasSubstr("http://[::1]:"));
  Watched watched(cluster);
  watched.until(all_well(1), 10s, "healthy");
  watched.stays(all_well(1), 2s, "stays so");
  EXPECT_TRUE(watched.view()->observation.members[0].metrics) << "/metrics too";
  EXPECT_THAT(watched.said(), IsEmpty()) << watched.story();
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Endpoints);
INSTANTIATE_TEST_SUITE_P(Newest, Endpoints, testing::ValuesIn(kit::newest_only()),
                         kit::version_name);

// --- /metrics

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

// One member whose gRPC is its own, and whose /metrics comes from an impostor.
class MetricsPage : public testing::TestWithParam<kit::EtcdVersion> {
 protected:
  MetricsPage()
      : cluster_({.version = GetParam(),
                  .members = 1,
                  .metrics_listener = true,
                  .advertise_client = [this](const kit::LocalEtcd::Member& member) {
                    const auto port = member.client_url.substr(member.client_url.rfind(':') + 1);
                    split_ = std::make_unique<SplitPort>(
                        pages_.port(), static_cast<std::uint16_t>(std::stoi(port)));
                    return split_->url();
                  }}) {}

  void watch(std::string metrics_url = {}) {
    watched_ = std::make_unique<Watched>(
        Watched::Options{.endpoints = {split_->url()}, .adjust = [&](app::ClusterOptions& made) {
                           made.collect.metrics_interval = 2s;
                           made.collect.metrics_url = metrics_url;
                         }});
  }
  // The member's own page, told by the impostor from now on.
  void show_the_real_page() {
    pages_.when("/metrics", Reply{.body = kit::fetch(cluster_.endpoint(0) + "/metrics").body});
  }
  void expect_only_metrics_missing(const std::string& why) {
    const auto& name = cluster_.member(0).name;
    watched_->until(has(Check::kMetricsUnavailable, name), 15s, "metrics missing");
    watched_->stays(both(reach_is(name, Reach::kReachable), has(Check::kMetricsUnavailable)), 3s,
                    "the member is well");
    const auto view = watched_->view();
    EXPECT_THAT(view->assessment.verdicts.at(0).detail, HasSubstr(why));
    EXPECT_GE(view->members.at(0).scrape_failures, 2U);
    EXPECT_THAT(watched_->said_besides({"MetricsUnavailable"}), IsEmpty()) << watched_->story();
    EXPECT_THAT(watched_->errors_logged(), IsEmpty());
  }
  void expect_recovery() {
    show_the_real_page();
    watched_->until(all_well(1), 10s, "healthy again");
  }

  HttpImpostor pages_;
  std::unique_ptr<SplitPort> split_;
  EtcdCluster cluster_;
  std::unique_ptr<Watched> watched_;
};

TEST_P(MetricsPage, Of64MegabytesIsRefused) {
  const Reply huge{.body = std::string(1U << 16U, 'x') + "\n", .repeat = 1024};
  auto chunked = huge;
  chunked.framing = HttpImpostor::Framing::kChunked;
  auto to_end = huge;
  to_end.framing = HttpImpostor::Framing::kToEnd;
  pages_.when("/metrics", {huge, chunked, to_end});
  const auto before = resident_bytes();
  watch();
  expect_only_metrics_missing("16");
  EXPECT_LT(resident_bytes(), before + (48U << 20U));
  expect_recovery();
}

TEST_P(MetricsPage, ThatDripsTimesOut) {
  pages_.when("/metrics", Reply{.body = std::string(1000, '#'), .piece = 1, .pause = 1s});
  watch();
  expect_only_metrics_missing("");
  expect_recovery();
}

TEST_P(MetricsPage, ThatIsNoHttpIsNoPage) {
  pages_.when("/metrics", Reply{.raw = "\x16\x03\x01 this is not HTTP\r\n\r\n"});
  watch();
  expect_only_metrics_missing("");
  expect_recovery();
}

TEST_P(MetricsPage, ThatIsCutShortIsNoPage) {
  show_the_real_page();
  const auto body = kit::fetch(cluster_.endpoint(0) + "/metrics").body;
  pages_.when(
      "/metrics",
      Reply{.body = body, .after = HttpImpostor::After::kReset, .cut_after = body.size() / 2});
  watch();
  expect_only_metrics_missing("");
  expect_recovery();
}

TEST_P(MetricsPage, OfGarbageIsNoPage) {
  pages_.when("/metrics", Reply{.body = "<html>\n<h1>It works!</h1>\n\x01\x02{{{\n</html>\n"});
  watch();
  expect_only_metrics_missing("");
  expect_recovery();
}

TEST_P(MetricsPage, WithSomeGarbageIsReadAllTheSame) {
  pages_.when("/metrics",
              Reply{.body = "}garbage{\n" + kit::fetch(cluster_.endpoint(0) + "/metrics").body});
  watch();
  watched_->until(all_well(1), 10s, "healthy");
  watched_->until(
      [](const auto& view) {
        return view.members[0].malformed_lines >= 1 && view.observation.members[0].metrics;
      },
      5s, "counted, not fatal");
  EXPECT_THAT(watched_->said(), IsEmpty()) << watched_->story();
}

TEST_P(MetricsPage, IsFoundWhereThePatternSays) {
  watch(cluster_.member(0).metrics_url);
  watched_->until(
      [this](const auto& view) {
        const auto& members = view.observation.members;
        return all_well(1)(view) && members[0].metrics &&
               members[0].metrics_url == cluster_.member(0).metrics_url + "/metrics";
      },
      10s, "metrics from the other listener");
  watched_->stays(all_well(1), 3s, "healthy");
  EXPECT_THAT(watched_->said(), IsEmpty()) << watched_->story();
  EXPECT_LE(pages_.requests("/metrics").size(), 3U) << "the client URL is not asked every time";
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MetricsPage);
INSTANTIATE_TEST_SUITE_P(Newest, MetricsPage, testing::ValuesIn(kit::newest_only()),
                         kit::version_name);

}  // namespace
}  // namespace etcdmon
