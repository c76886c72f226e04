#include "net/resolver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/task_scope.hpp"
#include "net/detail/srv_answer.hpp"
#include "net/testing/loop.hpp"

namespace etcdmon::net {
namespace {

using namespace std::chrono_literals;
using testing::run;

TEST(Resolver, LiteralsNeedNoLookup) {
  Loop loop;
  Resolver resolver(loop.get_executor());
  const auto v4 = run(loop, resolver.resolve("127.0.0.1", 2379, SteadyTime{}));
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->front(), asio::ip::tcp::endpoint(asio::ip::make_address("127.0.0.1"), 2379));
  const auto v6 = run(loop, resolver.resolve("::1", 1, SteadyTime{}));
  ASSERT_TRUE(v6);
  EXPECT_TRUE(v6->front().address().is_v6());
}

TEST(Resolver, AsksTheSystemForNames) {
  Loop loop;
  Resolver resolver(loop.get_executor());
  const auto found = run(loop, resolver.resolve("localhost", 2379, testing::in(10s)));
  ASSERT_TRUE(found) << found.error().message;
  for (const auto& endpoint : *found) {
    EXPECT_TRUE(endpoint.address().is_loopback());
    EXPECT_EQ(endpoint.port(), 2379);
  }
}

TEST(Resolver, AnUnknownNameIsADnsError) {
  Loop loop;
  Resolver resolver(loop.get_executor());
  // A label above 63 bytes is refused without asking a server.
  const auto found =
      run(loop, resolver.resolve(std::string(70, 'a') + ".invalid", 2379, testing::in(10s)));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().cause, Cause::kDns);
  EXPECT_THAT(found.error().message, ::testing::StartsWith("resolve aaaa"));
}

TEST(Resolver, GivesUpAtTheDeadline) {
  Loop loop;
  Resolver resolver(loop.get_executor());
  const auto found = run(loop, resolver.resolve("localhost", 2379, SteadyTime{}));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(found.error().cause, Cause::kDns);
}

Task<> resolve_in_vain(Resolver& resolver) {
  const auto ignored = co_await resolver.resolve("localhost", 1, SteadyTime::max());
  static_cast<void>(ignored);
}

Task<bool> cancel_lookups(Loop& loop) {
  Resolver resolver(loop.get_executor());
  async::TaskScope scope(loop.get_executor(), Logger{});
  for (int i = 0; i < 20; ++i) scope.spawn("lookup", resolve_in_vain(resolver));
  co_await async::yield();
  co_await scope.close();
  // A cancelled question does not spoil the next one for the same name.
  const auto found = co_await resolver.resolve("localhost", 1, testing::in(10s));
  co_return found.has_value();
}

TEST(Resolver, CancelledQuestionsEndAtOnce) {
  Loop loop;
  EXPECT_TRUE(run(loop, cancel_lookups(loop)));
}

TEST(Resolver, CanBeDestroyedWhileAsking) {
  for (int i = 0; i < 20; ++i) {
    Loop loop;
    auto resolver = std::make_unique<Resolver>(loop.get_executor());
    asio::co_spawn(loop, resolve_in_vain(*resolver), [](const std::exception_ptr&) {});
    loop.poll();
    resolver.reset();
  }
}

// A DNS answer, put together byte by byte.
class Answer {
 public:
  explicit Answer(std::uint8_t records) {
    bytes_ = {0x12, 0x34, 0x81, 0x80, 0, 1, 0, records, 0, 0, 0, 0};
    name({"_etcd-client", "_tcp", "a"});
    add({0, 33, 0, 1});
  }

  Answer& srv(std::uint16_t priority, std::uint16_t weight, std::uint16_t port,
              std::initializer_list<std::string_view> target) {
    add({0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60});
    std::size_t length = 7;
    for (const auto label : target) length += label.size() + 1;
    add16(static_cast<std::uint16_t>(length));
    add16(priority);
    add16(weight);
    add16(port);
    name(target);
    return *this;
  }

  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  void name(std::initializer_list<std::string_view> labels) {
    for (const auto label : labels) {
      bytes_.push_back(static_cast<std::uint8_t>(label.size()));
      bytes_.insert(bytes_.end(), label.begin(), label.end());
    }
    bytes_.push_back(0);
  }
  void add(std::initializer_list<std::uint8_t> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void add16(std::uint16_t value) {
    add({static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value & 0xffU)});
  }

  std::vector<std::uint8_t> bytes_;
};

TEST(SrvAnswer, SortsByPriorityThenWeight) {
  Answer answer(4);
  answer.srv(1, 1, 2379, {"third", "a"})
      .srv(0, 1, 2380, {"second", "a"})
      .srv(0, 9, 2381, {"first", "a"})
      .srv(0, 0, 2379, {});  // "not here"
  const auto targets = detail::parse_srv_answer("x", answer.bytes());
  ASSERT_TRUE(targets) << targets.error().message;
  ASSERT_EQ(targets->size(), 3U);
  EXPECT_EQ((*targets)[0].host, "first.a");
  EXPECT_EQ((*targets)[0].port, 2381);
  EXPECT_EQ((*targets)[0].weight, 9);
  EXPECT_EQ((*targets)[1].host, "second.a");
  EXPECT_EQ((*targets)[2].priority, 1);
}

TEST(SrvAnswer, NoRecordIsNotFound) {
  const auto targets = detail::parse_srv_answer("x", Answer(0).bytes());
  ASSERT_FALSE(targets);
  EXPECT_EQ(targets.error().code, ErrorCode::kNotFound);
}

TEST(SrvAnswer, EveryTruncationIsRefused) {
  Answer answer(1);
  answer.srv(0, 0, 2379, {"etcd-1", "example"});
  ASSERT_TRUE(detail::parse_srv_answer("x", answer.bytes()));
  for (std::size_t size = 0; size < answer.bytes().size(); ++size) {
    const auto targets = detail::parse_srv_answer("x", std::span(answer.bytes()).first(size));
    ASSERT_FALSE(targets) << size;
    EXPECT_EQ(targets.error().cause, Cause::kDns) << size;
  }
}

}  // namespace
}  // namespace etcdmon::net
