#include "rpc/framing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc/detail/testing/h2_server.hpp"

namespace etcdmon::rpc {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::framed;
using ::testing::HasSubstr;
using Step = MessageReader::Step;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// All messages in `pieces`, and how the last read() ended.
struct Read {
  std::vector<std::string> messages;
  Step last = Step::kMore;
};

Read read_all(MessageReader& reader, const std::vector<std::string_view>& pieces) {
  Read read;
  for (const auto piece : pieces) {
    auto bytes = bytes_of(piece);
    while ((read.last = reader.read(bytes)) == Step::kMessage)
      read.messages.push_back(std::move(reader.message()));
    if (read.last == Step::kBad) return read;
    EXPECT_TRUE(bytes.empty());
  }
  return read;
}

TEST(Framing, AnySplitGivesTheSameMessages) {
  const std::string wire = framed("first") + framed("") + framed(std::string(300, 'x'));
  for (std::size_t a = 0; a <= wire.size(); ++a) {
    for (std::size_t b = a; b <= wire.size(); b += 7) {
      SCOPED_TRACE(fmt::format("split at {} and {}", a, b));
      const std::string_view view = wire;
      MessageReader reader;
      const auto read =
          read_all(reader, {view.substr(0, a), view.substr(a, b - a), view.substr(b)});
      EXPECT_THAT(read.messages, ElementsAre("first", "", std::string(300, 'x')));
      EXPECT_TRUE(reader.between_messages());
    }
  }
}

TEST(Framing, EndInsideAMessageIsSeen) {
  const std::string wire = framed("message");
  for (std::size_t size = 1; size < wire.size(); ++size) {
    MessageReader reader;
    read_all(reader, {std::string_view(wire).substr(0, size)});
    EXPECT_FALSE(reader.between_messages()) << size;
  }
}

TEST(Framing, LimitIsInclusive) {
  MessageReader reader(10);
  EXPECT_THAT(read_all(reader, {framed("0123456789")}).messages, ElementsAre("0123456789"));
  EXPECT_EQ(read_all(reader, {framed("0123456789A")}).last, Step::kBad);
  EXPECT_EQ(reader.error().code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(reader.error().message, HasSubstr("11 bytes, the limit is 10"));
}

TEST(Framing, AnnouncedLengthTakesNoMemory) {
  MessageReader reader(0xffffffffU);
  auto bytes =
      bytes_of(std::string_view("\0\xff\xff\xff\xff"
                                "abc",
                                8));
  EXPECT_EQ(reader.read(bytes), Step::kMore);
  EXPECT_LE(reader.message().capacity(), 128U << 10U);
}

TEST(Framing, CompressedMessageIsRefused) {
  MessageReader reader;
  auto bytes = bytes_of(std::string_view("\1\0\0\0\1x", 6));
  EXPECT_EQ(reader.read(bytes), Step::kBad);
  EXPECT_EQ(reader.error().code, ErrorCode::kInternal);
  EXPECT_EQ(reader.error().cause, Cause::kProtocol);
}

struct TimeoutCase {
  std::chrono::nanoseconds timeout;
  const char* text;
};

TEST(Framing, TimeoutHasAtMostEightDigitsAndIsRoundedUp) {
  for (const auto& [timeout, text] :
       std::vector<TimeoutCase>{{-1s, "0n"},
                                {0s, "0n"},
                                {1ns, "1n"},
                                {99'999'999ns, "99999999n"},
                                {100'000'000ns, "100000u"},
                                {900ms, "900000u"},
                                {100'000'001ns, "100001u"},
                                {99'999'999us, "99999999u"},
                                {100s, "100000m"},
                                {99'999'999ms, "99999999m"},
                                {100'000s, "100000S"},
                                {99'999'999s, "99999999S"},
                                {100'000'000s, "1666667M"},
                                {std::chrono::nanoseconds::max(), "2562048H"}}) {
    EXPECT_EQ(encode_timeout(timeout), text);
  }
}

}  // namespace
}  // namespace etcdmon::rpc
