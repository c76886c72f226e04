#include "api/dead_letters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/testing/answer.hpp"

namespace etcdmon::api {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

struct FakeOffice final : DeadLetterDesk {
  Task<Result<std::vector<store::DeadLetter>>> dead_letters(std::size_t limit) override {
    asked = limit;
    store::DeadLetter letter{.id = "spool-7", .attempts = 2, .died_at = WallTime(1'760'000'000s)};
    letter.why = "HTTP 404";
    letter.notification.channel = "slack";
    letter.notification.dedup_key = "0a";
    auto& alert = letter.notification.alerts.emplace_back();
    alert.rule = "QuorumLost";
    alert.severity = model::Severity::kCritical;
    std::vector<store::DeadLetter> letters{letter};
    co_return letters;
  }
  Task<Result<void>> retry_dead_letter(std::string id) override { return note("retry " + id, id); }
  Task<Result<void>> drop_dead_letter(std::string id) override { return note("drop " + id, id); }

  Task<Result<void>> note(std::string what, std::string id) {
    if (id != "spool-7") co_return Error{ErrorCode::kNotFound, "no such dead letter"};
    done.push_back(std::move(what));
    co_return Result<void>{};
  }

  std::size_t asked = 0;
  std::vector<std::string> done;
};

struct DeadLettersTest : ::testing::Test {
  DeadLettersTest() { letters.add_to(router); }

  net::Response ask(std::string method, const std::string& target, bool loopback = true) {
    net::Request request;
    request.method = std::move(method);
    request.target = target;
    request.loopback = loopback;
    EXPECT_TRUE(net::parse_target(target, request.path, request.query)) << target;
    return testing::answer_of(router.dispatch(request, Caller::anybody()));
  }

  FakeOffice office;
  DeadLetters letters{office};
  Router router;
};

constexpr const char* kPath = "/api/v1/alerts/dead-letters";

TEST_F(DeadLettersTest, AreListedWithWhatTheySay) {
  const auto answer = ask("GET", std::string(kPath) + "?limit=5", false);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(office.asked, 5U);
  const auto letter = json::parse(answer.body)["dead_letters"][0];
  EXPECT_EQ(letter["id"], "spool-7");
  EXPECT_EQ(letter["channel"], "slack");
  EXPECT_EQ(letter["why"], "HTTP 404");
  EXPECT_EQ(letter["attempts"], 2);
  EXPECT_EQ(letter["severity"], "critical");
  EXPECT_EQ(letter["alerts"][0]["rule"], "QuorumLost");
  EXPECT_EQ(ask("GET", std::string(kPath) + "?limit=0").status, 400);
}

TEST_F(DeadLettersTest, AreSentAgainOrDroppedFromHereOnly) {
  const auto one = std::string(kPath) + "/spool-7";
  EXPECT_EQ(ask("POST", one + "/retry", false).status, 403);
  EXPECT_EQ(ask("DELETE", one, false).status, 403);
  EXPECT_THAT(office.done, ::testing::IsEmpty());
  EXPECT_EQ(ask("POST", one + "/retry").status, 200);
  EXPECT_EQ(ask("DELETE", one).status, 200);
  EXPECT_THAT(office.done, ::testing::ElementsAre("retry spool-7", "drop spool-7"));
  EXPECT_EQ(ask("DELETE", std::string(kPath) + "/spool-8").status, 404);
}

}  // namespace
}  // namespace etcdmon::api
