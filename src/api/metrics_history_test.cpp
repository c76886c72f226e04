#include "api/metrics_history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/testing/answer.hpp"
#include "api/testing/views.hpp"
#include "store/history/sqlite_history.hpp"

namespace etcdmon::api {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr WallTime kNoon{1'760'000'000s};  // 2025-10-09T08:53:20Z

struct FixedClock final : Clock {
  Now now() const override { return {SteadyTime(1000s), kNoon}; }
};

struct TwoClusters final : ViewSource {
  const std::vector<std::string>& clusters() const override { return names; }
  model::ClusterViewPtr view(std::string_view cluster) const override {
    auto view = std::make_shared<model::ClusterView>();
    view->cluster = cluster;
    view->observation.members = {testing::facts(testing::kSecond, "m2", 2379)};
    return view;
  }
  MonitorFacts monitor() const override { return {}; }

  std::vector<std::string> names = {"prod", "test"};
};

struct MetricsHistoryTest : ::testing::Test {
  static std::shared_ptr<store::HistoryBackend> two_hours() {
    std::shared_ptr<store::HistoryBackend> backend = *store::open_sqlite_history(":memory:");
    std::vector<store::HistoryRow> rows;
    for (auto ago = 7'200s; ago > 0s; ago -= 10s) {
      store::HistoryRow row{"prod", testing::kSecond, "m,2", kNoon - ago, {}};
      row.values.set(model::Metric::kDbSize, static_cast<double>(ago.count()));
      rows.push_back(row);
      row.member = MemberId{};
      row.member_name.clear();
      rows.push_back(row);
    }
    EXPECT_TRUE(backend->write(rows));
    return backend;
  }
  net::Response ask(const std::string& query) {
    net::Request request;
    request.method = "GET";
    EXPECT_TRUE(net::parse_target("/api/v1/metrics/history" + query, request.path, request.query));
    return testing::answer_of(router.dispatch(request, Caller::anybody()));
  }
  json ask_json(const std::string& query) {
    const auto response = ask(query);
    EXPECT_EQ(response.status, 200) << response.body;
    return json::parse(response.body);
  }

  FixedClock clock;
  TwoClusters views;
  Router router;
  store::HistoryLog log{two_hours(), {}, Logger{}};
  MetricsHistory history{&log, views, clock};

  MetricsHistoryTest() { history.add_to(router); }
};

TEST_F(MetricsHistoryTest, TellsTheLastHourWhereNoTimeIsSaid) {
  const auto page = ask_json("?cluster=prod&metric=db_size_bytes");
  EXPECT_EQ(page["from"], "2025-10-09T07:53:20Z");
  EXPECT_EQ(page["to"], "2025-10-09T08:53:20Z");
  EXPECT_EQ(page["step_seconds"], 15);
  EXPECT_EQ(page["finest"], "raw");
  ASSERT_THAT(page["series"], SizeIs(2));
  EXPECT_EQ(page["series"][0]["member"], "cluster");
  EXPECT_EQ(page["series"][0]["member_id"], nullptr);
  const auto& series = page["series"][1];
  EXPECT_EQ(series["member_id_hex"], "11");
  ASSERT_THAT(series["points"], SizeIs(240)) << "from 07:53:15 to 08:53:00";
  EXPECT_EQ(page["columns"], json::parse(R"(["at","average","min","max","last","count"])"));
  EXPECT_EQ(series["points"][1], json::parse(R"(["2025-10-09T07:53:30Z",3585,3580,3590,3580,2])"));
}

TEST_F(MetricsHistoryTest, TakesTimesStepsAndMembers) {
  const auto page = ask_json(
      "?cluster=prod&metric=db_size_bytes&from=2h&to=2025-10-09T08:00:00Z&step=1m&member=m2");
  EXPECT_EQ(page["from"], "2025-10-09T06:53:20Z");
  EXPECT_EQ(page["step_seconds"], 60);
  ASSERT_THAT(page["series"], SizeIs(1));
  EXPECT_THAT(page["series"][0]["points"], SizeIs(67));
  EXPECT_THAT(ask_json("?cluster=prod&metric=db_size_bytes&member=11")["series"], SizeIs(1));
  EXPECT_THAT(ask_json("?cluster=prod&metric=db_size_bytes&member=cluster")["series"], SizeIs(1));
  EXPECT_THAT(ask_json("?cluster=test&metric=db_size_bytes")["series"], SizeIs(0));
}

TEST_F(MetricsHistoryTest, WritesCsv) {
  const auto response =
      ask("?cluster=prod&metric=db_size_bytes&from=1h&step=1h&format=csv&member=11");
  EXPECT_EQ(response.content_type, "text/csv; charset=utf-8");
  EXPECT_EQ(response.body,
            "at,member_id,member,average,min,max,last,count\r\n"
            "2025-10-09T07:00:00Z,11,\"m,2\",3405,3210,3600,3210,40\r\n"
            "2025-10-09T08:00:00Z,11,\"m,2\",1605,10,3200,10,320\r\n");
}

TEST_F(MetricsHistoryTest, SaysWhatIsWrong) {
  const struct {
    const char* query;
    int status;
    const char* says;
  } rows[] = {
      {"?metric=up", 400, "add ?cluster=NAME; there are: prod, test"},
      {"?metric=up&cluster=x", 404, "no cluster"},
      {"?cluster=prod", 400, "say which metric: up, "},
      {"?cluster=prod&metric=db_sise_bytes", 400, "did you mean \\\"db_size_bytes\\\"?"},
      {"?cluster=prod&metric=up&from=yesterday", 400, "from: write a time"},
      {"?cluster=prod&metric=up&to=soon", 400, "to: write a time"},
      {"?cluster=prod&metric=up&from=1h&to=2h", 400, "from: is not before"},
      {"?cluster=prod&metric=up&step=0s", 400, "step: write a duration"},
      {"?cluster=prod&metric=up&step=x", 400, "step: write a duration"},
      {"?cluster=prod&metric=up&member=nobody", 400, "member: \\\"nobody\\\""},
      {"?cluster=prod&metric=up&format=xml", 400, "format: json or csv"},
  };
  for (const auto& row : rows) {
    const auto response = ask(row.query);
    EXPECT_EQ(response.status, row.status) << row.query;
    EXPECT_THAT(response.body, HasSubstr(row.says)) << row.query;
  }
}

TEST_F(MetricsHistoryTest, WithoutHistoryItSaysWhatToSet) {
  Router without;
  MetricsHistory none(nullptr, views, clock);
  none.add_to(without);
  net::Request request;
  request.method = "GET";
  ASSERT_TRUE(net::parse_target("/api/v1/metrics/history?cluster=prod&metric=up", request.path,
                                request.query));
  const auto response = testing::answer_of(without.dispatch(request, Caller::anybody()));
  EXPECT_EQ(response.status, 404);
  EXPECT_THAT(response.body, HasSubstr("storage.directory"));
}

}  // namespace
}  // namespace etcdmon::api
