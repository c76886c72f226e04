#include "collect/scrape/wanted_series.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/scrape/test_pages.hpp"

namespace etcdmon::collect {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

class Wanting : public testing::Test {
 protected:
  void scrape(std::string_view page) {
    now_.steady += 10s;
    now_.wall += 10s;
    series_.on_scrape(page, now_, own_);
  }
  double last(std::string_view metric, std::size_t which = 0) const {
    const auto columns = series_.series()->columns_of(metric);
    return which < columns.size() ? series_.series()->rows().last(columns[which]) : -1;
  }

  const std::string page_ = test_pages::load("3.5.16");
  WantedSeries series_;
  model::MetricValues own_;
  Now now_{SteadyTime(1h), WallTime(1'000'000s)};
};

TEST_F(Wanting, KeepsTheLinesOfTheMetricsAsked) {
  series_.want(Wanted::of({"etcd_server_has_leader", "grpc_server_handled_total", "up"}, 5min));
  series_.set_own_labels({{"member", "infra1"}});
  scrape(page_);
  EXPECT_EQ(last("etcd_server_has_leader"), 1);
  EXPECT_EQ(last("up"), 1);
  const auto handled = series_.series()->columns_of("grpc_server_handled_total");
  ASSERT_GT(handled.size(), 100U);
  const auto& labels = *series_.series()->labels(handled.front());
  EXPECT_EQ(labels.at("member"), "infra1");
  EXPECT_TRUE(labels.contains("grpc_code"));
  EXPECT_THAT(series_.series()->columns_of("etcd_server_is_leader"), IsEmpty());
  scrape(test_pages::with_value(page_, "etcd_server_has_leader", "0"));
  EXPECT_EQ(last("etcd_server_has_leader"), 0);
}

TEST_F(Wanting, AFailedScrapeEndsEverySeriesButUp) {
  series_.want(Wanted::of({"etcd_server_has_leader", "up"}, 5min));
  scrape(page_);
  scrape({});
  EXPECT_TRUE(std::isnan(last("etcd_server_has_leader")));
  EXPECT_EQ(last("up"), 0);
}

TEST_F(Wanting, TheMonitorsOwnValuesAreAskedForByTheirNames) {
  series_.want(Wanted::of({"etcdmon_member_wal_fsync_p99_seconds"}, 5min));
  scrape(page_);
  EXPECT_TRUE(std::isnan(last("etcdmon_member_wal_fsync_p99_seconds")));
  own_.set(model::Metric::kWalFsyncP99, 0.25);
  scrape(page_);
  EXPECT_EQ(last("etcdmon_member_wal_fsync_p99_seconds"), 0.25);
}

TEST_F(Wanting, OtherWishesLeaveWhatIsThereAlone) {
  series_.want(Wanted::of({"etcd_server_has_leader"}, 5min));
  scrape(page_);
  scrape(page_);
  series_.want(Wanted::of({"etcd_server_has_leader", "etcd_server_is_leader"}, 5min));
  scrape(page_);
  const auto columns = series_.series()->columns_of("etcd_server_has_leader");
  ASSERT_THAT(columns, SizeIs(1));
  const series::SeriesWindow window(series_.series()->rows(), now_.steady - 1min, now_.steady);
  std::size_t values = 0;
  window.for_each(columns[0], [&](SteadyTime, double) { ++values; });
  EXPECT_EQ(values, 3U);
  EXPECT_GE(last("etcd_server_is_leader"), 0);
}

TEST_F(Wanting, NoPageTakesMoreThanItsRoom) {
  series_.want(Wanted::of({"endless"}, 5min));
  std::string page;
  for (std::size_t i = 0; i < WantedSeries::kMostSeries + 10; ++i)
    page += "endless{n=\"" + std::to_string(i) + "\"} 1\n";
  scrape(page);
  EXPECT_EQ(series_.left_out(), 10U);
}

}  // namespace
}  // namespace etcdmon::collect
