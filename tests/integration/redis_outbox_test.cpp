// The outbox in a real Redis: the same contract, its logins, and its absence.
#include "store/redis_outbox.hpp"

#include "integration/outbox_contract.hpp"
#include "kit/command.hpp"
#include "kit/redis_server.hpp"
#include "kit/temp_dir.hpp"
#include "net/testing/tls_peer.hpp"

namespace etcdmon::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// One that runs; with `tls`, it speaks nothing else.
class RedisServer : public kit::RedisServer {
 public:
  explicit RedisServer(bool tls = false) : RedisServer(tls, kit::TempDir()) {}

  net::Endpoint endpoint(bool tls = false) const {
    return {.tls = tls, .host = "127.0.0.1", .port = port()};
  }

  std::string ca_file;

 private:
  RedisServer(bool tls, kit::TempDir files)
      : kit::RedisServer(tls, tls ? certificates(files) : std::vector<std::string>{}),
        files_(std::move(files)) {
    if (tls) ca_file = files_.file("ca.pem");
    start();
  }

  static std::vector<std::string> certificates(const kit::TempDir& files) {
    const net::testing::Authority authority("redis");
    const auto identity = authority.issue();
    return {"--tls-cert-file",    files.write("cert.pem", identity.cert_pem),
            "--tls-key-file",     files.write("key.pem", identity.key_pem),
            "--tls-ca-cert-file", files.write("ca.pem", authority.pem()),
            "--tls-auth-clients", "no"};
  }

  kit::TempDir files_;
};

RedisServer& shared_server() {
  static RedisServer server;
  return server;
}

std::string fresh_prefix() {
  static int count = 0;
  return "test" + std::to_string(++count);
}

class RedisBackend final : public OutboxBackend {
 public:
  RedisBackend(Loop& loop, const std::string& prefix)
      : loop_(loop),
        resolver_(loop.get_executor()),
        outbox_(resolver_, {.endpoint = shared_server().endpoint(), .prefix = prefix}) {}
  store::Outbox& outbox() override { return outbox_; }
  void pass(std::chrono::milliseconds time) override { kit::run(loop_, async::sleep_for(time)); }

 private:
  Loop& loop_;
  net::Resolver resolver_;
  store::RedisOutbox outbox_;
};

INSTANTIATE_TEST_SUITE_P(Redis, OutboxContract,
                         testing::Values(NamedBackend{"Streams",
                                                      [](Loop& loop) {
                                                        return std::make_unique<RedisBackend>(
                                                            loop, fresh_prefix());
                                                      }}),
                         [](const auto& tested) { return tested.param.name; });

class RedisTest : public kit::LoopTest {
 protected:
  store::RedisOutbox make(store::RedisOutboxOptions options) {
    return store::RedisOutbox(resolver_, std::move(options));
  }
  net::Resolver resolver_{executor()};
};

TEST_F(RedisTest, AnotherWorkerClaimsWhatADeadOneHeld) {
  const auto prefix = fresh_prefix();
  auto first = make({.endpoint = shared_server().endpoint(), .prefix = prefix, .consumer = "a"});
  auto second = make({.endpoint = shared_server().endpoint(), .prefix = prefix, .consumer = "b"});
  ASSERT_TRUE(run(first.push({note("slack", "k")})));
  ASSERT_EQ(run(first.claim("slack", 1, 100ms))->leases.size(), 1U);
  EXPECT_TRUE(run(second.claim("slack", 1, 60s))->leases.empty());
  kit::run(loop_, async::sleep_for(150ms));
  const auto claimed = run(second.claim("slack", 1, 60s));
  ASSERT_EQ(claimed->leases.size(), 1U);
  EXPECT_TRUE(run(second.settle(claimed->leases[0].id, {.kind = Settlement::Kind::kDelivered})));
  EXPECT_EQ(shared_server().cli({"XLEN", "{" + prefix + "}:q:slack:stream"}), "0\n");
}

// Two monitors that see the same cluster.
class TwoMonitors : public RedisTest {
 protected:
  store::RedisOutboxOptions options(const std::string& name) const {
    return {.endpoint = shared_server().endpoint(),
            .prefix = prefix_,
            .consumer = name,
            .holder = name,
            .holds_for = 300ms};
  }
  void push(store::RedisOutbox& outbox, model::Notification notification) {
    ASSERT_TRUE(run(outbox.push({std::move(notification)})));
  }
  // The statuses of all that is there to be sent, which is then sent.
  std::vector<std::string> sent() {
    std::vector<std::string> statuses;
    const auto claimed = run(a_.claim("slack", 10, 60s));
    for (const auto& lease : claimed->leases) {
      statuses.emplace_back(name_of(lease.notification.status));
      EXPECT_TRUE(run(a_.settle(lease.id, {.kind = Settlement::Kind::kDelivered})));
    }
    return statuses;
  }

  std::string prefix_ = fresh_prefix();
  store::RedisOutbox a_{resolver_, options("a")};
  store::RedisOutbox b_{resolver_, options("b")};
};

TEST_F(TwoMonitors, SendEachNotificationOnceAndTheEndWhenNobodySeesItAnyMore) {
  push(a_, note("slack", "k"));
  push(b_, note("slack", "k"));
  EXPECT_THAT(sent(), testing::ElementsAre("firing"));
  push(b_, note("slack", "k", model::Why::kRepeat, 5));
  EXPECT_THAT(sent(), testing::IsEmpty()) << "told a moment ago";
  push(a_, note("slack", "k", model::Why::kResolved));
  EXPECT_THAT(sent(), testing::IsEmpty()) << "the other one still sees it";
  push(b_, note("slack", "k", model::Why::kResolved));
  EXPECT_THAT(sent(), testing::ElementsAre("resolved"));
  push(a_, note("slack", "k"));
  EXPECT_THAT(sent(), testing::ElementsAre("firing")) << "it came back";
}

TEST_F(TwoMonitors, OneThatGotWorseIsNews) {
  push(a_, note("slack", "k"));
  auto worse = note("slack", "k", model::Why::kChanged);
  worse.alerts.front().severity = model::Severity::kCritical;
  push(b_, worse);
  push(a_, worse);
  EXPECT_THAT(sent(), testing::ElementsAre("firing"));
}

TEST_F(TwoMonitors, ADeadOneDoesNotKeepTheEndFromBeingTold) {
  push(a_, note("slack", "k"));
  push(b_, note("slack", "k"));
  EXPECT_THAT(sent(), testing::ElementsAre("firing"));
  push(a_, note("slack", "k", model::Why::kResolved));
  EXPECT_THAT(sent(), testing::IsEmpty());
  ASSERT_TRUE(run(b_.hold({"k"})));
  kit::run(loop_, async::sleep_for(200ms));
  EXPECT_THAT(sent(), testing::IsEmpty()) << "it still holds";
  kit::run(loop_, async::sleep_for(200ms));
  EXPECT_THAT(sent(), testing::ElementsAre("resolved"));
}

TEST_F(RedisTest, WhatWasPushedSurvivesItsKill) {
  RedisServer server;
  auto outbox = make({.endpoint = server.endpoint()});
  ASSERT_TRUE(run(outbox.push({note("slack", "k")})));
  server.kill();
  const auto away = run(outbox.push({note("slack", "l")}));
  ASSERT_FALSE(away);
  EXPECT_TRUE(is_retryable(away.error().code)) << away.error().message;
  server.start();
  EXPECT_EQ(run(outbox.claim("slack", 10, 1s))->leases.size(), 1U);
}

TEST_F(RedisTest, ItLogsInAsAnAclUserAndOverTls) {
  RedisServer server(true);
  auto tls = net::TlsContext::client({.ca_file = server.ca_file});
  ASSERT_TRUE(tls);
  auto anybody = make({.endpoint = server.endpoint(true), .tls = *tls});
  ASSERT_TRUE(run(anybody.push({note("slack", "k")})));
  kit::must({"redis-cli", "--tls", "--cacert", server.ca_file, "-p",
             std::to_string(server.endpoint().port), "ACL", "SETUSER", "monitor", "on",
             ">s3cret-4711", "~{etcdmon}:*", "+@all", "-@dangerous"});
  auto user = make({.endpoint = server.endpoint(true),
                    .tls = *tls,
                    .user = "monitor",
                    .password = Secret("s3cret-4711")});
  EXPECT_EQ(run(user.claim("slack", 10, 1s))->leases.size(), 1U);
  auto wrong = make({.endpoint = server.endpoint(true),
                     .tls = *tls,
                     .user = "monitor",
                     .password = Secret("s3cret-wrong")});
  const auto refused = run(wrong.claim("slack", 10, 1s));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
  EXPECT_THAT(refused.error().message, Not(HasSubstr("s3cret")));
}

TEST_F(RedisTest, WhatIsNotRedisIsSaid) {
  const net::testing::Authority authority("x");
  const net::testing::TlsPeer peer({.identity = authority.issue()});
  auto outbox = make({.endpoint = {.host = "127.0.0.1", .port = peer.port()}});
  const auto refused = run(outbox.push({note("slack", "k")}));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(is_retryable(refused.error().code)) << refused.error().message;
}

}  // namespace
}  // namespace etcdmon::test
