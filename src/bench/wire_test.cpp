#include "bench/wire.hpp"

#include <gtest/gtest.h>

#include "bench/workload/guarded.hpp"
#include "bench/workload/watches.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::bench {
namespace {

std::string text(const Body& body) {
  return std::string(as_text(body.view()));
}
std::span<const std::byte> bytes(const std::string& message) {
  return std::as_bytes(std::span(message));
}

TEST(Body, IsWhatProtobufReads) {
  Body body;
  body.text(1, "key");
  body.text(2, "end");
  body.number(3, 300);
  body.number(4, 0);
  body.number(7, 1);
  wire::RangeRequest request;
  ASSERT_TRUE(request.ParseFromString(text(body)));
  EXPECT_EQ(request.key(), "key");
  EXPECT_EQ(request.range_end(), "end");
  EXPECT_EQ(request.limit(), 300);
  EXPECT_EQ(request.revision(), 0);
  EXPECT_TRUE(request.serializable());
}

TEST(Body, NestsMessages) {
  Body body;
  Guarded guarded(body);
  const std::string value(1'000, 'v');
  guarded.compare("key", 1ULL << 40U);
  guarded.put("key", std::as_bytes(std::span(value)), 9);
  guarded.otherwise_get("key");
  wire::TxnRequest request;
  ASSERT_TRUE(request.ParseFromString(text(body)));
  ASSERT_EQ(request.compare_size(), 1);
  EXPECT_EQ(request.compare(0).target(), wire::Compare::MOD);
  EXPECT_EQ(request.compare(0).mod_revision(), 1LL << 40);
  EXPECT_EQ(request.success(0).request_put().value(), value);
  EXPECT_EQ(request.success(0).request_put().lease(), 9);
  EXPECT_EQ(request.failure(0).request_range().key(), "key");
}

TEST(Fields, ReadWhatProtobufWrites) {
  wire::RangeResponse response;
  response.mutable_header()->set_member_id(UINT64_MAX);
  response.mutable_header()->set_revision(77);
  response.mutable_header()->set_raft_term(3);
  auto* kv = response.add_kvs();
  kv->set_key("k");
  kv->set_mod_revision(76);
  response.set_count(1);
  const auto message = response.SerializeAsString();
  const auto header = read_header(bytes(message));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->member_id, UINT64_MAX);
  EXPECT_EQ(header->revision, 77);
  EXPECT_EQ(header->raft_term, 3U);
  EXPECT_EQ(first_revision(bytes(message)), 76U);
}

TEST(Fields, StopAtWhatIsNoMessage) {
  wire::RangeResponse response;
  response.mutable_header()->set_revision(77);
  response.set_count(300);
  const auto message = response.SerializeAsString();
  for (std::size_t size = 0; size < message.size(); ++size) {
    const auto part = message.substr(0, size);
    Fields fields(bytes(part));
    while (fields.next()) {
    }
  }
  EXPECT_FALSE(read_header({}));
  for (const std::string_view broken :
       {"\x0a", "\x0a\x05x", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x07", "\x02\x01",
        "\x0b\x01\x02"}) {
    EXPECT_FALSE(read_header(std::as_bytes(std::span(broken)))) << broken;
  }
}

TEST(Stamps, SayWhenTheyWereSent) {
  Stamps stamps(1);
  const std::string value(100, 'x');
  const SteadyTime sent{std::chrono::seconds(5)};
  const auto stamped = stamps.stamp(std::as_bytes(std::span(value)), sent);
  EXPECT_EQ(stamped.size(), 100U);
  SteadyTime read;
  ASSERT_TRUE(stamps.read(stamped, read));
  EXPECT_EQ(read, sent);
  EXPECT_FALSE(stamps.read(std::as_bytes(std::span(value)), read));
  EXPECT_FALSE(Stamps(2).read(stamped, read));
  EXPECT_EQ(stamps.stamp({}, sent).size(), Stamps::kSize);
}

}  // namespace
}  // namespace etcdmon::bench
