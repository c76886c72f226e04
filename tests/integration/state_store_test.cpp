// state.db: what it keeps, and what it does on a bad day.
#include "store/state_store.hpp"

#include <csignal>
#include <filesystem>
#include <sys/resource.h>

#include "integration/outbox_contract.hpp"
#include "kit/command.hpp"
#include "kit/manual_clock.hpp"
#include "kit/temp_dir.hpp"

namespace etcdmon::test {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(OutboxContract);

namespace {

using store::Change;
using store::Kind;
using store::StateStore;
using testing::HasSubstr;

class SqliteBackend final : public OutboxBackend {
 public:
  explicit SqliteBackend(std::string path) {
    auto opened = StateStore::open({.path = std::move(path), .clock = clock_});
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = *std::move(opened);
  }
  store::Outbox& outbox() override { return store_->outbox(); }
  void pass(std::chrono::milliseconds time) override { clock_->advance(time); }

 private:
  std::shared_ptr<kit::ManualClock> clock_ = std::make_shared<kit::ManualClock>();
  std::unique_ptr<StateStore> store_;
};

INSTANTIATE_TEST_SUITE_P(
    Sqlite, OutboxContract,
    testing::Values(NamedBackend{
        "InMemory", [](Loop& /*loop*/) { return std::make_unique<SqliteBackend>(":memory:"); }}),
    [](const auto& tested) { return tested.param.name; });

class StateStoreTest : public kit::LoopTest {
 protected:
  std::string path() const { return dir_.file("state.db"); }
  std::unique_ptr<StateStore> open() {
    auto opened = StateStore::open({.path = path()});
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    return opened ? *std::move(opened) : nullptr;
  }
  Error refusal() {
    const auto opened = StateStore::open({.path = path()});
    return opened ? Error{ErrorCode::kOk, "it was opened"} : opened.error();
  }
  void close(std::unique_ptr<StateStore>& store) {
    EXPECT_TRUE(run(store->close(std::chrono::steady_clock::now() + 5s)));
    store.reset();
  }

  kit::TempDir dir_;
};

TEST_F(StateStoreTest, WhatWasCommittedIsThereAfterARestart) {
  auto store = open();
  Change change;
  change.put = {{Kind::kAlert, "a1", "{}"}, {Kind::kAlert, "a2", "{}"}, {Kind::kSilence, "s", "1"}};
  change.notifications = {note("slack", "a1"), note("slack", "a2")};
  auto& event = change.history.emplace_back();
  event.alert.id = "a1";
  event.alert.cluster = "prod";
  ASSERT_TRUE(run(store->commit(change)));
  change = {};
  change.remove = {{Kind::kAlert, "a2"}, {Kind::kAlert, "never there"}};
  change.put = {{Kind::kSilence, "s", "2"}};
  ASSERT_TRUE(run(store->commit(change)));
  const auto first = run(store->outbox().claim("slack", 1, 60s));
  ASSERT_TRUE(first);
  ASSERT_TRUE(run(store->outbox().settle(first->leases.at(0).id,
                                         {.kind = Settlement::Kind::kRetry, .backoff = 60min})));
  close(store);

  store = open();
  const auto alerts = run(store->records(Kind::kAlert));
  ASSERT_TRUE(alerts);
  EXPECT_THAT(*alerts, testing::ElementsAre(store::Record{Kind::kAlert, "a1", "{}"}));
  const auto silences = run(store->records(Kind::kSilence));
  EXPECT_EQ(silences->at(0).body, "2");
  // Who backed off is due again: the restart may have been what it took.
  const auto claimed = run(store->outbox().claim("slack", 10, 60s));
  ASSERT_EQ(claimed->leases.size(), 2U);
  EXPECT_EQ(claimed->leases[0].attempt, 2);
  EXPECT_EQ(claimed->leases[1].attempt, 1);
  const auto history = run(store->history({.alert_id = "a1"}));
  ASSERT_EQ(history->size(), 1U);
  EXPECT_EQ(history->at(0).alert.cluster, "prod");
  EXPECT_TRUE(run(store->history({.cluster = "other"}))->empty());
}

TEST_F(StateStoreTest, AStepIsSavedWholeOrNotAtAll) {
  auto opened = StateStore::open({.path = path(), .max_waiting = 1});
  ASSERT_TRUE(opened);
  auto& store = **opened;
  Change change;
  change.put = {{Kind::kAlert, "a1", "{}"}};
  change.notifications = {note("slack", "a1"), note("slack", "a2")};
  const auto refused = run(store.commit(change));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE(run(store.records(Kind::kAlert))->empty());
  EXPECT_TRUE(run(store.outbox().claim("slack", 10, 1s))->leases.empty());
  change.notifications.pop_back();
  EXPECT_TRUE(run(store.commit(change)));
  EXPECT_TRUE(run((*opened)->close(std::chrono::steady_clock::now() + 5s)));
}

TEST_F(StateStoreTest, AttemptsAreKeptUntilTheyArePruned) {
  auto store = open();
  ASSERT_TRUE(run(store->outbox().push({note("slack", "a")})));
  const auto claimed = run(store->outbox().claim("slack", 1, 60s));
  Settlement settlement{.kind = Settlement::Kind::kRetry};
  settlement.attempt = store::Attempt{.channel = "slack",
                                      .message_id = "a-new-0",
                                      .dedup_key = "a",
                                      .number = 1,
                                      .at = WallTime(5s),
                                      .took = 12ms,
                                      .outcome = "retry",
                                      .status = 503,
                                      .why = "HTTP 503"};
  ASSERT_TRUE(run(store->outbox().settle(claimed->leases.at(0).id, settlement)));
  const auto attempts = run(store->attempts("a", 10));
  ASSERT_EQ(attempts->size(), 1U);
  EXPECT_EQ(attempts->at(0).status, 503);
  EXPECT_EQ(attempts->at(0).took, 12ms);
  ASSERT_TRUE(run(store->prune(WallTime(6s))));
  EXPECT_TRUE(run(store->attempts("", 10))->empty());
  close(store);
}

TEST_F(StateStoreTest, ASecondMonitorIsRefused) {
  auto store = open();
  const auto error = refusal();
  EXPECT_EQ(error.code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(error.message, HasSubstr("in use by another process"));
  close(store);
}

TEST_F(StateStoreTest, ABrokenFileIsRefusedAndLeftAlone) {
  auto store = open();
  Change change;
  for (int i = 0; i < 200; ++i)
    change.put.push_back({Kind::kAlert, std::to_string(i), std::string(500, 'x')});
  ASSERT_TRUE(run(store->commit(change)));
  close(store);
  const auto good = dir_.read("state.db");
  for (const auto& [what, bytes] : {
           std::pair<std::string, std::string>{"no database", "this is a letter, not a database"},
           {"its middle overwritten", std::string(good).replace(8'192, 20'000, 20'000, '\x5a')},
           {"its end cut off", good.substr(0, good.size() / 2)},
       }) {
    SCOPED_TRACE(what);
    dir_.write("state.db", bytes);
    const auto error = refusal();
    EXPECT_EQ(error.code, ErrorCode::kDataLoss) << error.message;
    EXPECT_THAT(error.message, HasSubstr("restore it from a backup, or move it away"));
    EXPECT_EQ(dir_.read("state.db"), bytes);
  }
}

TEST_F(StateStoreTest, AFileOfANewerVersionIsRefused) {
  auto store = open();
  close(store);
  kit::must({"sqlite3", path(), "PRAGMA user_version=99"});
  const auto error = refusal();
  EXPECT_EQ(error.code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(error.message, HasSubstr("newer etcd-monitor"));
}

TEST_F(StateStoreTest, AMissingDirectoryIsSaid) {
  const auto opened = StateStore::open({.path = dir_.file("no/such/state.db")});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("storage.directory"));
}

// Writes fail from here on with EFBIG, as they do with ENOSPC on a full disk.
class FullDisk {
 public:
  FullDisk() {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{0, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(StateStoreTest, AFullDiskRefusesAndLosesNothing) {
  auto store = open();
  ASSERT_TRUE(run(store->commit({.put = {{Kind::kAlert, "before", "{}"}}})));
  const Change change{.put = {{Kind::kAlert, "a1", "{}"}}, .notifications = {note("slack", "a1")}};
  {
    const FullDisk full;
    const auto refused = run(store->commit(change));
    ASSERT_FALSE(refused);
    EXPECT_TRUE(is_retryable(refused.error().code)) << name_of(refused.error().code);
  }
  ASSERT_TRUE(run(store->commit(change)));
  close(store);
  store = open();
  EXPECT_EQ(run(store->records(Kind::kAlert))->size(), 2U);
  EXPECT_EQ(run(store->outbox().claim("slack", 10, 1s))->leases.size(), 1U);
  close(store);
}

}  // namespace
}  // namespace etcdmon::test
