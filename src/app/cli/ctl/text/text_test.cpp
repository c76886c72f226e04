#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/cli/ctl/text/go_text.hpp"
#include "app/cli/ctl/text/json_writer.hpp"
#include "app/cli/ctl/text/table.hpp"
#include "app/cli/ctl/text/words.hpp"

namespace etcdmon::app::cli::ctl {
namespace {

using testing::ElementsAre;
using namespace std::string_literals;

struct Spelling {
  const char* name;
  std::string text;
  std::string quoted;
  std::string json;
  friend std::ostream& operator<<(std::ostream& os, const Spelling& c) { return os << c.name; }
};

class GoText : public testing::TestWithParam<Spelling> {};

TEST_P(GoText, IsSpelledAsGoDoes) {
  EXPECT_EQ(go_quoted(GetParam().text), GetParam().quoted);
  std::string json;
  append_go_json(json, GetParam().text);
  EXPECT_EQ(json, GetParam().json);
}

TEST_P(GoText, ReadsBackWhatItWrote) {
  std::string_view rest = GetParam().quoted;
  EXPECT_EQ(take_quoted(rest), GetParam().text);
  EXPECT_EQ(rest, "");
}

// Golden: fmt.Printf("%q") and json.Marshal.
INSTANTIATE_TEST_SUITE_P(
    Table, GoText,
    testing::Values(Spelling{"Empty", "", R"("")", R"("")"},
                    Spelling{"Plain", "a b", R"("a b")", R"("a b")"},
                    Spelling{"Quotes", R"(a"b\c'd)", R"("a\"b\\c'd")", R"("a\"b\\c'd")"},
                    Spelling{"Html", "<a&b>", R"("<a&b>")", R"("\u003ca\u0026b\u003e")"},
                    Spelling{"Control", "\a\b\f\n\r\t\v\x01\x7f", R"("\a\b\f\n\r\t\v\x01\x7f")",
                             "\"\\u0007\\u0008\\u000c\\n\\r\\t\\u000b\\u0001\x7f\""},
                    Spelling{"Nul", "a\0b"s, R"("a\x00b")", R"("a\u0000b")"},
                    Spelling{"Umlaut", "é", "\"é\"", "\"é\""},
                    Spelling{"Cjk", "鍵", "\"鍵\"", "\"鍵\""},
                    Spelling{"Emoji", "🔑", "\"🔑\"", "\"🔑\""},
                    Spelling{"Invalid",
                             "\xff"
                             "a\xc3",
                             R"("\xffa\xc3")", R"("\ufffda\ufffd")"},
                    Spelling{"NoBreakSpace", "\u00a0", R"("\u00a0")", "\"\u00a0\""},
                    Spelling{"LineSeparator", "\u2028", R"("\u2028")", R"("\u2028")"},
                    Spelling{"ByteOrderMark", "\ufeff", R"("\ufeff")", "\"\ufeff\""},
                    Spelling{"PrivateUse", "\U000f0000", R"("\U000f0000")", "\"\U000f0000\""}),
    testing::PrintToStringParamName());

TEST(GoTextReading, TakesLiterals) {
  const auto take = [](std::string_view text) { return take_quoted(text); };
  EXPECT_EQ(take(R"(  "a\x41\101é\n" rest)"), "aAAé\n");
  EXPECT_EQ(take("`raw\\n`"), "raw\\n");
  EXPECT_EQ(take(R"("open)"), std::nullopt);
  EXPECT_EQ(take(R"("bad \q")"), std::nullopt);
  EXPECT_EQ(take("bare"), std::nullopt);
  EXPECT_EQ(take(""), std::nullopt);
}

TEST(GoTextNumbers, AreRoundedAsHumanizeDoes) {
  for (const auto& [bytes, text] :
       std::vector<std::pair<std::uint64_t, std::string>>{{0, "0 B"},
                                                          {9, "9 B"},
                                                          {10, "10 B"},
                                                          {999, "999 B"},
                                                          {1000, "1.0 kB"},
                                                          {20480, "20 kB"},
                                                          {9950, "10 kB"},
                                                          {1234567, "1.2 MB"},
                                                          {2147483648, "2.1 GB"},
                                                          {98765432100, "99 GB"}}) {
    EXPECT_EQ(humanized(bytes), text);
  }
}

TEST(GoTextNumbers, DurationsHaveOneUnitBelowAMinute) {
  for (const auto& [nanoseconds, text] :
       std::vector<std::pair<std::int64_t, std::string>>{{0, "0s"},
                                                         {1, "1ns"},
                                                         {1500, "1.5µs"},
                                                         {1420475, "1.420475ms"},
                                                         {2000000000, "2s"},
                                                         {61500000000, "1m1.5s"},
                                                         {3600000000000, "1h0m0s"},
                                                         {-1500000, "-1.5ms"}}) {
    EXPECT_EQ(go_duration(nanoseconds), text);
  }
}

TEST(GoTextNumbers, AreReadAsStrconvDoes) {
  EXPECT_EQ(parse_go_int("-9223372036854775808", 10), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse_go_int("0x10", 0), 16);
  EXPECT_EQ(parse_go_int("1f", 16), 31);
  EXPECT_EQ(parse_go_int("x", 10).error().message,
            R"(strconv.ParseInt: parsing "x": invalid syntax)");
  EXPECT_EQ(parse_go_int("9223372036854775808", 10).error().message,
            R"(strconv.ParseInt: parsing "9223372036854775808": value out of range)");
  EXPECT_EQ(parse_go_bool("maybe").error().message,
            R"(strconv.ParseBool: parsing "maybe": invalid syntax)");
}

TEST(GoJson, LeavesOutWhatIsZero) {
  std::string out;
  JsonWriter json(out);
  json.open('{').some("zero", 0).some("id", 7U).some("name", "").some_bytes("key", "k");
  json.key("list")
      .open('[')
      .value("a")
      .value(true)
      .null()
      .close(']')
      .field("more", false)
      .close('}');
  EXPECT_EQ(out, R"({"id":7,"key":"aw==","list":["a",true,null],"more":false})");
}

TEST(Tables, FollowEtcdctl) {
  const Table table{{"ID", "hash_revision"}, {{"8e9e05c52164694d", "5"}, {"é", "12345678901234"}}};
  EXPECT_EQ(to_text(table, Table::Frame::kAscii),
            "+------------------+----------------+\n"
            "|        ID        | HASH REVISION  |\n"
            "+------------------+----------------+\n"
            "| 8e9e05c52164694d |              5 |\n"
            "|                é | 12345678901234 |\n"
            "+------------------+----------------+\n");
  EXPECT_EQ(to_text(table, Table::Frame::kBoxes),
            "┌──────────────────┬────────────────┐\n"
            "│        ID        │ HASH REVISION  │\n"
            "├──────────────────┼────────────────┤\n"
            "│ 8e9e05c52164694d │              5 │\n"
            "│                é │ 12345678901234 │\n"
            "└──────────────────┴────────────────┘\n");
}

TEST(Tables, BreakLongCellsBetweenWords) {
  const Table table{{"errors"}, {{"memberID:10276657743932975437 alarm:NOSPACE "}}};
  EXPECT_EQ(to_text(table, Table::Frame::kAscii),
            "+-------------------------------+\n"
            "|            ERRORS             |\n"
            "+-------------------------------+\n"
            "| memberID:10276657743932975437 |\n"
            "|                alarm:NOSPACE  |\n"
            "+-------------------------------+\n");
}

TEST(Tables, CountTerminalCells) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("鍵"), 2U);
  EXPECT_EQ(display_width("e\u0301"), 1U);
  EXPECT_EQ(display_width("\xff"), 1U);
}

TEST(Words, AreQuotedAsInEtcdctl) {
  EXPECT_THAT(*words_of("put  k1 v1"), ElementsAre("put", "k1", "v1"));
  EXPECT_THAT(*words_of(R"(put "a b" 'c "d\n')"), ElementsAre("put", "a b", R"(c "d\n)"));
  EXPECT_THAT(*words_of(R"(put "b\x41\u00e9\t")"), ElementsAre("put", "bAé\t"));
  EXPECT_THAT(*words_of(R"(put k"v"w)"), ElementsAre("put", R"(k"v"w)"));
  EXPECT_THAT(*words_of(R"("a"b)"), ElementsAre("a", "b"));
  EXPECT_THAT(*words_of(R"(put "open)"), ElementsAre("put", "open"));
  EXPECT_THAT(*words_of(R"('')"), ElementsAre(""));
  EXPECT_THAT(*words_of("  "), ElementsAre());
  EXPECT_FALSE(words_of(R"("\q")"));
}

}  // namespace
}  // namespace etcdmon::app::cli::ctl
