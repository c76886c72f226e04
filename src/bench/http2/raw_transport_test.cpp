// What the raw transport sends, as a strict server reads it.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/detail/testing/request_reader.hpp"
#include "bench/detail/testing/server_script.hpp"
#include "bench/http2/call_table.hpp"
#include "bench/http2/header_encoder.hpp"
#include "bench/testing/subject.hpp"
#include "bench/workload/random.hpp"

namespace etcdmon::bench {
namespace {

using ::testing::ElementsAre;
using testing::framed;
using ::testing::Gt;
using ::testing::Lt;
using ::testing::Pair;
using testing::RequestReader;
using testing::ServerScript;
using testing::Subject;
using testing::Which;

/// A raw transport and the server that reads it, joined by strings.
struct Joined {
  explicit Joined(const std::vector<nghttp2_settings_entry>& settings = {}, bool holds = false)
      : server(settings, holds) {}

  /// Until neither side has anything to say. False: the client broke HTTP/2.
  bool run() {
    for (;;) {
      const auto asked = client.output();
      if (!server.read(asked)) return false;
      const auto answer = server.output();
      if (!answer.empty())
        client.transport->receive(std::as_bytes(std::span(answer)), SteadyTime{});
      if (asked.empty() && answer.empty()) return true;
    }
  }

  Subject client{Which::kRaw};
  RequestReader server;
};

TEST(RawTransport, AsksAsGrpcDoes) {
  Joined pair;
  pair.client.start(pair.client.calls[0], "ask");
  ASSERT_TRUE(pair.run());
  const auto& request = pair.server.requests[1];
  EXPECT_THAT(request.fields,
              ElementsAre(Pair(":method", "POST"), Pair(":scheme", "http"),
                          Pair(":path", "/test.Service/Method"), Pair(":authority", "etcd-1:2379"),
                          Pair("te", "trailers"), Pair("content-type", "application/grpc"),
                          Pair("user-agent", "test")));
  EXPECT_EQ(request.body, framed("ask"));
  EXPECT_TRUE(request.ended);
}

TEST(RawTransport, WaitsForTheServersSettings) {
  Subject client(Which::kRaw);
  client.output();
  client.start(client.calls[0], "ask");
  EXPECT_EQ(client.output(), "");
  EXPECT_EQ(client.transport->live(), 1U);
  client.transport->receive(std::as_bytes(std::span(ServerScript().settings().bytes())),
                            SteadyTime{});
  EXPECT_NE(client.output(), "");
}

TEST(RawTransport, TheSecondRequestIsAFewBytes) {
  Joined pair;
  ASSERT_TRUE(pair.run());
  for (auto& call : pair.client.calls) pair.client.start(call, "ask");
  ASSERT_TRUE(pair.run());
  // Two paths: each is spelled out once.
  const auto& sizes = pair.server.header_sizes;
  ASSERT_EQ(sizes.size(), 6U);
  EXPECT_THAT(sizes[0], Gt(60U));
  EXPECT_THAT(sizes[4], Gt(20U));
  for (const auto i : {1U, 2U, 3U, 5U}) EXPECT_THAT(sizes[i], Lt(9U)) << i;
  EXPECT_EQ(pair.server.requests[11].field(":path"), "/test.Service/Stream");
}

TEST(RawTransport, SpellsOutWhereTheServerKeepsNoTable) {
  for (const std::uint32_t limit : {0U, 40U, 200U, 4'095U, 65'536U}) {
    Joined pair({{NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, limit}});
    ASSERT_TRUE(pair.run());
    for (auto& call : pair.client.calls) pair.client.start(call, "ask");
    ASSERT_TRUE(pair.run()) << limit;
    EXPECT_EQ(pair.server.requests[5].field("user-agent"), "test") << limit;
  }
}

TEST(RawTransport, FollowsATableThatShrinks) {
  Joined pair;
  pair.client.start(pair.client.calls[0], "ask");
  ASSERT_TRUE(pair.run());
  for (const std::uint32_t limit : {300U, 60U, 4'096U}) {
    pair.server.settings({{NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, limit}});
    ASSERT_TRUE(pair.run());
    auto& call = pair.client.calls[limit == 300U ? 1U : limit == 60U ? 2U : 3U];
    pair.client.start(call, "ask");
    ASSERT_TRUE(pair.run()) << limit;
    EXPECT_EQ(pair.server.requests[call.id].field("te"), "trailers") << limit;
  }
}

TEST(RawTransport, KeepsToTheServersLimitOfStreams) {
  Joined pair({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2}});
  ASSERT_TRUE(pair.run());
  for (auto& call : pair.client.calls) pair.client.start(call, "ask");
  ASSERT_TRUE(pair.run());
  EXPECT_EQ(pair.server.requests.size(), 2U);
  EXPECT_EQ(pair.client.transport->counts().stream_limited, 4U);
  pair.client.transport->cancel(pair.client.calls[0]);
  pair.client.transport->cancel(pair.client.calls[5]);  // waits still
  ASSERT_TRUE(pair.run());
  EXPECT_EQ(pair.server.requests.size(), 3U);
  EXPECT_EQ(pair.server.requests[1].reset, NGHTTP2_CANCEL);
  EXPECT_EQ(pair.client.transport->live(), 4U);
}

TEST(RawTransport, CutsLargeMessagesToWindowsAndFrames) {
  Joined pair({}, true);
  ASSERT_TRUE(pair.run());
  const std::string large(200'000, 'x');
  pair.client.start(pair.client.calls[0], large);
  pair.client.start(pair.client.calls[1], "ask");  // behind it: the connection's window is shut
  ASSERT_TRUE(pair.run());
  EXPECT_EQ(pair.server.requests[1].body.size(), 65'535U);
  EXPECT_EQ(pair.server.requests[3].body, "");
  EXPECT_EQ(pair.client.transport->counts().window_limited, 2U);
  pair.server.credit(0, 1'000'000);
  ASSERT_TRUE(pair.run());
  EXPECT_EQ(pair.server.requests[1].body.size(), 65'535U);  // its own window is shut
  EXPECT_EQ(pair.server.requests[3].body, framed("ask"));
  pair.server.credit(1, 1'000'000);
  ASSERT_TRUE(pair.run());
  EXPECT_EQ(pair.server.requests[1].body, framed(large));
  EXPECT_TRUE(pair.server.requests[1].ended);
}

TEST(RawTransport, TakesANewWindowForStreamsThatAreOpen) {
  Joined pair({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 10}}, true);
  ASSERT_TRUE(pair.run());
  pair.client.start(pair.client.calls[0], "twenty bytes of text");
  ASSERT_TRUE(pair.run());
  EXPECT_EQ(pair.server.requests[1].body.size(), 10U);
  pair.server.settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 5}});
  ASSERT_TRUE(pair.run());
  pair.server.settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1'000}});
  ASSERT_TRUE(pair.run());
  EXPECT_EQ(pair.server.requests[1].body, framed("twenty bytes of text"));
}

TEST(RawTransport, SendsMoreMessagesOnAStream) {
  Joined pair;
  auto& stream = pair.client.calls[4];
  pair.client.start(stream, "one");
  pair.client.transport->send(stream, std::as_bytes(std::span<const char>("two", 3)));
  ASSERT_TRUE(pair.run());
  pair.client.transport->send(stream, std::as_bytes(std::span<const char>("three", 5)));
  ASSERT_TRUE(pair.run());
  EXPECT_EQ(pair.server.requests[1].body, framed("one") + framed("two") + framed("three"));
  EXPECT_FALSE(pair.server.requests[1].ended);
}

TEST(RawTransport, GivesCreditForWhatItRead) {
  Subject client(Which::kRaw);
  RequestReader server;
  for (auto& call : client.calls) client.start(call, "ask");
  ServerScript script;
  script.settings();
  client.transport->receive(std::as_bytes(std::span(script.bytes())), SteadyTime{});
  script.take();
  script.headers(9, testing::kGrpcHead);
  const auto message = framed(std::string(16'000, 'x'));
  for (int i = 0; i < 300; ++i) script.data(9, message);
  client.transport->receive(std::as_bytes(std::span(script.bytes())), SteadyTime{});
  ASSERT_TRUE(server.read(client.output()));
  EXPECT_THAT(server.credited, Gt(4'000'000U));
  EXPECT_EQ(client.seen[4].messages.size(), 300U);
}

TEST(RawTransport, AnswersPings) {
  Joined pair;
  ASSERT_TRUE(pair.run());
  pair.client.transport->receive(
      std::as_bytes(std::span(ServerScript().frame(h2::Type::kPing, 0, 0, "12345678").bytes())),
      SteadyTime{});
  ASSERT_TRUE(pair.run());
  EXPECT_EQ(pair.server.pongs, 1);
}

TEST(CallTable, FindsWhatIsInIt) {
  CallTable table;
  std::vector<Call> calls(500);
  std::map<std::int32_t, Call*> model;
  Random random(3);
  std::int32_t next = 1;
  for (int step = 0; step < 20'000; ++step) {
    if (model.size() < calls.size() / 2 && random.chance(0.52)) {
      auto& call = calls[random.below(calls.size())];
      table.insert(next, call);
      model[next] = &call;
      next += 2;
    } else if (!model.empty()) {
      // Mostly old ones, as answers come; some stay for long.
      auto gone = model.begin();
      std::advance(gone, static_cast<long>(random.below(model.size())));
      table.erase(gone->first);
      table.erase(next + 2);
      model.erase(gone);
    }
    ASSERT_EQ(table.size(), model.size());
    for (int i = 0; i < 5; ++i) {
      const auto id =
          static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(next)) | 1U);
      const auto found = model.find(id);
      ASSERT_EQ(table.find(id), found == model.end() ? nullptr : found->second) << id;
    }
  }
}

}  // namespace
}  // namespace etcdmon::bench
