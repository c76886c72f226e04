#include "series/labelled_series.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::series {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(LabelledSeries, ASeriesHasTheMembersLabelsToo) {
  LabelledSeries series({.max_columns = 2});
  series.set_own_labels({{"instance", "a:1"}});
  const auto column = series.add_column("up", {{"instance", "theirs"}, {"empty", ""}});
  ASSERT_TRUE(column);
  EXPECT_THAT(*series.labels(*column),
              ElementsAre(Pair("exported_instance", "theirs"), Pair("instance", "a:1")));
  const auto layout = series.layout();
  series.set_own_labels({{"instance", "b:1"}});
  EXPECT_EQ(series.labels(*column)->at("instance"), "b:1");
  EXPECT_GT(series.layout(), layout);
}

TEST(LabelledSeries, ColumnsAreFoundByTheirMetricUntilDropped) {
  LabelledSeries series({.retention = 10s, .max_columns = 2});
  const auto first = series.add_column("total", {{"code", "a"}});
  const auto second = series.add_column("total", {{"code", "b"}});
  EXPECT_FALSE(series.add_column("total", {{"code", "c"}})) << "there is room for two";
  EXPECT_THAT(series.columns_of("total"), ElementsAre(*first, *second));
  const std::vector<double> row{1, 2};
  EXPECT_TRUE(series.append(SteadyTime(1s), WallTime(1s), row));
  EXPECT_EQ(series.rows().last(*second), 2);
  series.drop_column(*first);
  EXPECT_THAT(series.columns_of("total"), ElementsAre(*second));
  series.drop_column(*second);
  EXPECT_THAT(series.columns_of("total"), IsEmpty());
}

}  // namespace
}  // namespace etcdmon::series
