#include "collect/scrape/exposition.hpp"

#include <clocale>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/scrape/number.hpp"

namespace etcdmon::collect {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Parsed {
  std::vector<std::string> samples;
  std::uint64_t malformed = 0;
};

Parsed parse(std::string_view page) {
  Parsed out;
  out.malformed = parse_exposition(page, [&](const Sample& sample) {
    std::string line(sample.name);
    sample.labels.for_each([&](std::string_view name, std::string_view value) {
      line += fmt::format(" {}=<{}>", name, unescape(value));
    });
    line += fmt::format(" {}", sample.value);
    if (sample.timestamp) line += fmt::format(" @{}", *sample.timestamp);
    out.samples.push_back(line);
  });
  return out;
}

struct GoodCase {
  const char* name;
  std::string text;
  std::vector<std::string> want;
  friend std::ostream& operator<<(std::ostream& os, const GoodCase& c) { return os << c.name; }
};

class GoodPage : public testing::TestWithParam<GoodCase> {};

TEST_P(GoodPage, Parses) {
  const auto got = parse(GetParam().text);
  EXPECT_THAT(got.samples, testing::ElementsAreArray(GetParam().want));
  EXPECT_EQ(got.malformed, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Table, GoodPage,
    testing::Values(
        GoodCase{"Empty", "", {}}, GoodCase{"OnlyComments", "# HELP a b\n#\n# TYPE a gauge\n", {}},
        GoodCase{"Plain", "up 1\n", {"up 1"}},
        GoodCase{"MissingLastNewline", "a 1\nb 2", {"a 1", "b 2"}},
        GoodCase{"CrLf", "a 1\r\n# HELP b x\r\nb{c=\"d\"} 2\r\n\r\n", {"a 1", "b c=<d> 2"}},
        GoodCase{"BlankLinesAndIndent", "\n\n  a 1\n\t\n \t b\t2 \n", {"a 1", "b 2"}},
        GoodCase{"Colons", "job:a:rate5m{} 1\n", {"job:a:rate5m 1"}},
        GoodCase{"Escapes",
                 "a{p=\"C:\\\\d\",q=\"say \\\"x\\\"\",n=\"1\\n2\"} 1\n",
                 {"a p=<C:\\d> q=<say \"x\"> n=<1\n2> 1"}},
        GoodCase{"UnknownEscapeStays", "a{p=\"\\d\"} 1\n", {"a p=<\\d> 1"}},
        GoodCase{"BracesAndHashInLabel", "a{p=\"}{ # 1,\",q=\"=\"} 1\n", {"a p=<}{ # 1,> q=<=> 1"}},
        GoodCase{"BlanksAroundLabels", "a { p = \"x\" , q=\"y\" , } 1\n", {"a p=<x> q=<y> 1"}},
        GoodCase{"EmptyLabelValue", "a{p=\"\"} 1\n", {"a p=<> 1"}},
        GoodCase{"NoBlankBeforeValue", "a{p=\"x\"}1\n", {"a p=<x> 1"}},
        GoodCase{"Infinities",
                 "a +Inf\nb -Inf\nc Inf\nd +inf\ne Infinity\n",
                 {"a inf", "b -inf", "c inf", "d inf", "e inf"}},
        GoodCase{"NotANumber", "a NaN\nb nan\n", {"a nan", "b nan"}},
        GoodCase{"Numbers",
                 "a 1e3\nb -2.5E-1\nc .5\nd 5.\ne +7\nf 1.79542914393e+09\n",
                 {"a 1000", "b -0.25", "c 0.5", "d 5", "e 7", "f 1795429143.93"}},
        GoodCase{"Timestamp",
                 "a 1 1395066363000\nb 2 -3982045\n",
                 {"a 1 @1395066363000", "b 2 @-3982045"}},
        GoodCase{"FractionalTimestamp", "a 1 1395066363.5 \n", {"a 1 @1395066363.5"}},
        GoodCase{"Exemplars",
                 "a_bucket{le=\"1\"} 8 # {trace=\"x\"} 0.67\nb_total 1 5 # {} 2 1.5\nc 3 # "
                 "{t=\"\"} 1 \n",
                 {"a_bucket le=<1> 8", "b_total 1 @5", "c 3"}},
        GoodCase{
            "OpenMetricsEnd", "# TYPE a counter\n# UNIT a s\na_total 1\n# EOF\n", {"a_total 1"}},
        GoodCase{"OpenMetricsEndWithoutNewline", "a 1\n# EOF", {"a 1"}},
        GoodCase{"Unicode",
                 "a{p=\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"} 1\n",
                 {"a p=<\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80> 1"}},
        GoodCase{
            "NulInLabel", std::string("a{p=\"x\0y\"} 1\n", 13), {std::string("a p=<x\0y> 1", 11)}}),
    testing::PrintToStringParamName());

struct BadCase {
  const char* name;
  std::string line;
  friend std::ostream& operator<<(std::ostream& os, const BadCase& c) { return os << c.name; }
};

class BadLine : public testing::TestWithParam<BadCase> {};

TEST_P(BadLine, IsCountedAndSkipped) {
  const auto got = parse("before 1\n" + GetParam().line + "\nafter 2\n");
  EXPECT_THAT(got.samples, ElementsAre("before 1", "after 2"));
  EXPECT_EQ(got.malformed, 1U);
  const auto last = parse("before 1\n" + GetParam().line);
  EXPECT_THAT(last.samples, ElementsAre("before 1"));
  EXPECT_EQ(last.malformed, 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadLine,
    testing::Values(
        BadCase{"NoValue", "a"}, BadCase{"NoValueButBlank", "a "}, BadCase{"WordAsValue", "a b"},
        BadCase{"NameStartsWithDigit", "1a 1"}, BadCase{"NameWithDash", "a-b 1"},
        BadCase{"Markup", "<html><body>not found</body></html>"}, BadCase{"Json", "{\"a\":1}"},
        BadCase{"LabelsNotClosed", "a{b=\"c\" 1"}, BadCase{"ValueNotClosed", "a{b=\"c} 1"},
        BadCase{"EscapedQuoteNotClosed", "a{b=\"c\\\"} 1"}, BadCase{"BackslashAtEnd", "a{b=\"c\\"},
        BadCase{"NoQuotes", "a{b=c} 1"}, BadCase{"NoEquals", "a{b\"c\"} 1"},
        BadCase{"ColonInLabelName", "a{b:c=\"d\"} 1"},
        BadCase{"LabelNameStartsWithDigit", "a{1b=\"c\"} 1"},
        BadCase{"LabelsNotSeparated", "a{b=\"c\" d=\"e\"} 1"}, BadCase{"OnlyComma", "a{,} 1"},
        BadCase{"TwoCommas", "a{b=\"c\",,} 1"}, BadCase{"TwoBraces", "a{{b=\"c\"} 1"},
        BadCase{"Hexadecimal", "a 0x10"}, BadCase{"HexadecimalFloat", "a 0x1p-3"},
        BadCase{"Underscore", "a 1_000"}, BadCase{"TwoPoints", "a 1.2.3"},
        BadCase{"EmptyExponent", "a 1e"}, BadCase{"SignOnly", "a -"}, BadCase{"TwoSigns", "a +-1"},
        BadCase{"PointOnly", "a ."}, BadCase{"Comma", "a 1,5"}, BadCase{"NanWithTail", "a nanx"},
        BadCase{"NanWithPayload", "a nan(1)"}, BadCase{"TooLarge", "a 1e400"},
        BadCase{"TimestampWord", "a 1 now"}, BadCase{"ThreeNumbers", "a 1 2 3"},
        BadCase{"ExemplarWithoutLabels", "a 1 # 5"},
        BadCase{"ExemplarWithoutValue", "a 1 # {b=\"c\"}"},
        BadCase{"ExemplarBroken", "a 1 # {b=\"c\" 5"},
        BadCase{"ExemplarThreeNumbers", "a 1 # {} 1 2 3"},
        BadCase{"InvalidUtf8", "a{b=\"\xC3\"} 1"}, BadCase{"OverlongUtf8", "a{b=\"\xC0\xAF\"} 1"},
        BadCase{"SurrogateUtf8", "a{b=\"\xED\xA0\x80\"} 1"}, BadCase{"BinaryName", "\xFF\xFE 1"},
        BadCase{"CarriageReturnInside", "a\r1"}),
    testing::PrintToStringParamName());

TEST(ExpositionReader, CountsWhatFollowsTheEnd) {
  const auto got = parse("a 1\n# EOF\nb 2\n\n# c\n");
  EXPECT_THAT(got.samples, ElementsAre("a 1"));
  EXPECT_EQ(got.malformed, 2U);
}

TEST(ExpositionReader, SaysWhereTheValueStarts) {
  ExpositionReader reader("  a{b=\"c\"}  12 5\nplain 3\n");
  Sample sample;
  ASSERT_TRUE(reader.next(sample));
  EXPECT_EQ(sample.head, "a{b=\"c\"}  ");
  ASSERT_TRUE(reader.next(sample));
  EXPECT_EQ(sample.head, "plain ");
  EXPECT_TRUE(sample.labels.empty());
  EXPECT_FALSE(reader.next(sample));
  EXPECT_FALSE(reader.next(sample));
}

TEST(Labels, FindsByWholeName) {
  const Labels labels("from=\"a\", to=\"b\\\"c\",");
  EXPECT_EQ(labels.find("to"), "b\\\"c");
  EXPECT_EQ(labels.find("fro"), std::nullopt);
  EXPECT_EQ(Labels().find("to"), std::nullopt);
}

// A truncated page must end as its last line ends: with what was whole, or one malformed line more.
TEST(ExpositionReader, SurvivesEveryTruncation) {
  const std::string page =
      "# HELP a x\na{b=\"c\\\\\",d=\"e\"} 12.5e3 99 # {t=\"u\"} 1 2\r\nb +Inf\n";
  for (std::size_t n = 0; n <= page.size(); ++n) {
    const auto got = parse(std::string_view(page).substr(0, n));
    EXPECT_LE(got.samples.size() + got.malformed, 2U) << n;
  }
}

double number(std::string_view text) {
  double exact = 0;
  double fast = 0;
  const char* const end = text.data() + text.size();
  const char* after = parse_number(text.data(), end, exact);
  EXPECT_EQ(after, end) << text;
  after = parse_number_fast(text.data(), end, fast);
  EXPECT_EQ(after, end) << text;
  EXPECT_EQ(std::bit_cast<std::uint64_t>(exact), std::bit_cast<std::uint64_t>(fast)) << text;
  return exact;
}

TEST(ParseNumber, RoundsCorrectly) {
  EXPECT_EQ(number("0.0006537100000000001"), 0.0006537100000000001);
  EXPECT_EQ(number("1.8446744073709552e+19"), 1.8446744073709552e+19);
  EXPECT_EQ(number("9007199254740993"), 9007199254740992.0);
  EXPECT_EQ(number("123456789012345678901234567890"), 1.2345678901234568e+29);
  EXPECT_EQ(number("2.2250738585072011e-308"), 2.2250738585072011e-308);
  EXPECT_EQ(number("4.9e-324"), 4.9e-324);
  EXPECT_EQ(number("8.5e22"), 8.5e22);
  EXPECT_EQ(number("18446744073709551615"), 18446744073709551615.0);
  EXPECT_TRUE(std::signbit(number("-0")));
}

TEST(ParseNumber, ReadsBackWhatWasPrinted) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    const auto x = std::bit_cast<double>(random());
    if (!std::isfinite(x)) continue;
    ASSERT_EQ(number(fmt::format("{}", x)), x);
    const double small = static_cast<double>(random() % 100'000'000) / 1e5;
    ASSERT_EQ(number(fmt::format("{}", small)), small);
    ASSERT_EQ(number(fmt::format("{:e}", small)),
              std::strtod(fmt::format("{:e}", small).c_str(), nullptr));
  }
}

TEST(ParseNumber, IgnoresTheLocale) {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  for (const auto* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE"}) {
    std::setlocale(LC_NUMERIC, name);
    EXPECT_EQ(number("1.5e3"), 1500);
    EXPECT_EQ(number("3.141592653589793238"), 3.141592653589793);
  }
  std::setlocale(LC_NUMERIC, before.c_str());
}

}  // namespace
}  // namespace etcdmon::collect
