#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/units.hpp"

namespace etcdmon {
namespace {

using namespace std::chrono_literals;
using namespace literals;

TEST(Result, HoldsValueOrError) {
  Result<int> good = 3;
  Result<int> bad = Error{ErrorCode::kNotFound, "no such key"};
  EXPECT_EQ(*good, 3);
  EXPECT_EQ(bad.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(Result<int>{});
  EXPECT_TRUE(Result<void>{});
}

Result<int> doubled(Result<int> in) {
  ETCDMON_TRY(const int x, std::move(in));
  return x * 2;
}

TEST(Result, TryReturnsTheError) {
  EXPECT_EQ(*doubled(4), 8);
  EXPECT_EQ(doubled(Error{ErrorCode::kAborted, "x"}).error().code, ErrorCode::kAborted);
}

TEST(ParseDuration, Table) {
  struct Case {
    const char* text;
    std::optional<std::chrono::nanoseconds> want;
  };
  for (const auto& [text, want] :
       {Case{"30s", 30s}, Case{"1m30s", 90s}, Case{"1.5h", 90min}, Case{"250ms", 250ms},
        Case{"0", 0s}, Case{"2d", 48h}, Case{"", {}}, Case{"30", {}}, Case{"-3s", {}},
        Case{"3x", {}}, Case{"s", {}}, Case{"1..5s", {}}, Case{"999999999999h", {}}}) {
    SCOPED_TRACE(text);
    const auto got = parse_duration(text);
    EXPECT_EQ(got ? std::optional(*got) : std::nullopt, want);
  }
}

TEST(FormatDuration, RoundTrips) {
  for (const auto* text : {"30s", "1m30s", "250ms", "2h", "0s", "1h1m1s", "1.5s", "3m0.0000011s"}) {
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
  }
}

TEST(ParseBytes, Table) {
  EXPECT_EQ(*parse_bytes("16MiB"), 16_MiB);
  EXPECT_EQ(*parse_bytes("512 KiB"), 512_KiB);
  EXPECT_EQ(parse_bytes("8GB")->value, 8'000'000'000U);
  EXPECT_EQ(parse_bytes("4096")->value, 4096U);
  EXPECT_FALSE(parse_bytes("-1"));
  EXPECT_FALSE(parse_bytes("12 apples"));
  EXPECT_EQ(format_bytes(16_MiB), "16MiB");
  EXPECT_EQ(human_bytes(2'000'000'000), "1.9 GiB");
}

TEST(Ids, HexAsEtcdctlPrintsIt) {
  EXPECT_EQ(to_hex(MemberId{0x8e9e05c52164694d}), "8e9e05c52164694d");
  EXPECT_EQ(parse_hex("8E9E05C52164694D"), 0x8e9e05c52164694dU);
  EXPECT_EQ(parse_hex(""), std::nullopt);
  EXPECT_EQ(parse_hex("0x12"), std::nullopt);
  EXPECT_EQ(parse_hex("11112222333344445"), std::nullopt);
}

TEST(JsonText, EscapesAndRepairsUtf8) {
  std::string out;
  append_json_string(out, "a\"b\\\n\x01 ü \xff");
  EXPECT_EQ(out, "\"a\\\"b\\\\\\n\\u0001 ü \xEF\xBF\xBD\"");
}

TEST(JsonText, FindsWhatIsNoUtf8) {
  EXPECT_EQ(invalid_utf8_at("plain, ü and \xF0\x9F\x98\x80"), std::string_view::npos);
  EXPECT_EQ(invalid_utf8_at("caf\xe9"), 3U);
  EXPECT_EQ(invalid_utf8_at("ü\xC3"), 2U);
}

TEST(Log, LinesInBothFormats) {
  EXPECT_EQ(log::format_line(log::Format::kConsole, "T", log::Level::kWarn, "member down",
                             {{"cluster", "a"}}, {{"why", "no route"}, {"n", 3}}),
            "T warn  member down cluster=a why=\"no route\" n=3");
  EXPECT_EQ(log::format_line(log::Format::kJson, "T", log::Level::kInfo, "x", {},
                             {{"ok", true}, {"n", 1.5}}),
            R"({"time":"T","level":"info","message":"x","ok":true,"n":1.5})");
}

TEST(Secret, NeverShowsItself) {
  EXPECT_EQ(fmt::format("{}", Secret("hunter2")), "<secret>");
}

TEST(Clock, Rfc3339) {
  EXPECT_EQ(to_rfc3339(WallTime{1760178600s}), "2025-10-11T10:30:00Z");
  EXPECT_EQ(to_rfc3339(WallTime{1760178600250ms}), "2025-10-11T10:30:00.250Z");
}

}  // namespace
}  // namespace etcdmon
