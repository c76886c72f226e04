#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alert/expr/evaluate.hpp"
#include "alert/expr/parser.hpp"
#include "alert/scenario/memory_source.hpp"

namespace etcdmon::alert::expr {
namespace {

using scenario::MemorySource;
using testing::HasSubstr;

constexpr Millis kMinute = 60'000;

// A minute a step, from 0 on.
MemorySource series() {
  MemorySource source(kMinute);
  const auto add = [&source](std::string_view name, std::string_view values) {
    if (auto added = source.add(name, values); !added) ADD_FAILURE() << added.error().message;
  };
  add(R"(up{member="a"})", "1x20");
  add(R"(up{member="b"})", "1x8 0x11");
  add(R"(up{member="c"})", "1x8 stale");
  add(R"(total{member="a", code="ok"})", "0+60x20");
  add(R"(total{member="a", code="bad"})", "0+6x20");
  add(R"(total{member="b", code="ok"})", "0+60x8 0+60x11");
  add(R"(size{member="a"})", "100+10x20");
  add(R"(size{member="b"})", "50x20");
  add(R"(quota{member="a"})", "200x20");
  add(R"(quota{member="b"})", "200x20");
  add(R"(took_bucket{member="a", le="0.1"})", "0+50x20");
  add(R"(took_bucket{member="a", le="0.5"})", "0+90x20");
  add(R"(took_bucket{member="a", le="1"})", "0+90x20");
  add(R"(took_bucket{member="a", le="+Inf"})", "0+100x20");
  add(R"(gappy)", "1 _ 3 _x6 9");
  add(R"(zone{member="a", zone="x"})", "1x20");
  add(R"(zone{member="b", zone="y"})", "1x20");
  return source;
}

std::string text_of(const Value& value) {
  if (value.is_scalar) return fmt::format("{:.6g}", value.scalar);
  std::vector<std::string> out;
  for (const auto& element : value.vector)
    out.push_back(
        fmt::format("{} {:.6g}", scenario::text_of(element.name, *element.labels), element.value));
  return fmt::format("{}", fmt::join(out, "; "));
}

std::string at(Millis minutes, std::string_view text) {
  const auto source = series();
  const auto node = parse(text);
  if (!node) return node.error().message;
  auto value = Evaluator(source, minutes * kMinute).evaluate(**node);
  return value ? text_of(*value) : value.error().message;
}

TEST(Expression, GivesWhatPromqlGives) {
  struct Row {
    std::string_view text;
    std::string_view expected;
  };
  const std::vector<Row> rows = {
      {"1 + 2 * 3 ^ 2 - 4 % 3", "18"},
      {"-2 ^ 2", "-4"},
      {"(1 + 2) * 3 > bool 8", "1"},
      {"0x1f + 1e3 + .5", "1031.5"},
      {"up", R"(up{member="a"} 1; up{member="b"} 0)"},
      {"up == 0", R"(up{member="b"} 0)"},
      {"up == bool 0", R"({member="a"} 0; {member="b"} 1)"},
      {R"(up{member=~"a|c"})", R"(up{member="a"} 1)"},
      {R"(up{member!="a",})", R"(up{member="b"} 0)"},
      {"up offset 5m", R"(up{member="a"} 1; up{member="b"} 1; up{member="c"} 1)"},
      {"sum(up)", "{} 1"},
      {"count without (member) (up)", "{} 2"},
      {"avg by (code) (total)", R"({code="ok"} 450; {code="bad"} 72)"},
      {"max(size) - min(size)", "{} 170"},
      {"quantile(0.5, size)", "{} 135"},
      {"topk(1, size)", R"(size{member="a"} 220)"},
      {"stddev(size)", "{} 85"},
      {R"(rate(total{code="ok"}[5m]))",
       R"({code="ok", member="a"} 1; {code="ok", member="b"} 0.8)"},
      {R"(increase(total{code="bad"}[10m]))", R"({code="bad", member="a"} 60)"},
      {R"(irate(total{code="bad"}[5m]))", R"({code="bad", member="a"} 0.1)"},
      {"delta(size[4m])", R"({member="a"} 40; {member="b"} 0)"},
      {"predict_linear(size[10m], 600)", R"({member="a"} 320; {member="b"} 50)"},
      {"deriv(size[10m]) * 60", R"({member="a"} 10; {member="b"} 0)"},
      {"size / quota * 100", R"({member="a"} 110; {member="b"} 25)"},
      {"size > quota", R"(size{member="a"} 220)"},
      {"size > on(member) quota", R"({member="a"} 220)"},
      {R"(total / ignoring(code) group_left sum without(code) (total) < 0.5)",
       R"({code="bad", member="a"} 0.0909091)"},
      {"size * on(member) group_left(zone) zone",
       R"({member="a", zone="x"} 220; {member="b", zone="y"} 50)"},
      {"sum by (member) (total) > 100 and on(member) up == 0", R"({member="b"} 180)"},
      {"up unless size > 100", R"(up{member="b"} 0)"},
      {"size > 1000 or quota", R"(quota{member="a"} 200; quota{member="b"} 200)"},
      {"histogram_quantile(0.5, rate(took_bucket[5m]))", R"({member="a"} 0.1)"},
      {"histogram_quantile(0.9, sum by (le) (rate(took_bucket[5m])))", "{} 0.5"},
      {"histogram_quantile(0.99, rate(took_bucket[5m]))", R"({member="a"} 1)"},
      {"avg_over_time(up[5m])", R"({member="a"} 1; {member="b"} 0.333333; {member="c"} 1)"},
      {"min_over_time(up[12m])", R"({member="a"} 1; {member="b"} 0; {member="c"} 1)"},
      {"last_over_time(up[12m])", R"(up{member="a"} 1; up{member="b"} 0; up{member="c"} 1)"},
      {"count_over_time(gappy[20m])", "{} 3"},
      {"changes(up[12m])", R"({member="a"} 0; {member="b"} 1; {member="c"} 0)"},
      {R"(resets(total{code="ok"}[12m]))",
       R"({code="ok", member="a"} 0; {code="ok", member="b"} 1)"},
      {"quantile_over_time(0.5, size[4m])", R"({member="a"} 200; {member="b"} 50)"},
      {"absent(up)", ""},
      {R"(absent(nothing{member="a", zone=~"x"}))", R"({member="a"} 1)"},
      {"absent_over_time(nothing[5m])", "{} 1"},
      {"increase((max without (member) (size))[4m:1m])", "{} 40"},
      {"max_over_time((up == 0)[5m:])", R"({member="b"} 0)"},
      {"abs(-size) + clamp_max(size, 60) + round(size, 100)",
       R"({member="a"} 480; {member="b"} 200)"},
      {"vector(scalar(gappy offset 10m)) + time() / 60", "{} 15"},
      {"timestamp(up) - time()", R"({member="a"} 0; {member="b"} 0)"},
      {"hour(vector(86399)) + minute() + day_of_week()", "{} 39"},
      {R"q(label_replace(zone, "in", "z-$1", "zone", "(.*)"))q",
       R"(zone{in="z-x", member="a", zone="x"} 1; zone{in="z-y", member="b", zone="y"} 1)"},
      {R"q(label_replace(zone{member="a"}, "in", "${1}$1${", "zone", "(.*)"))q",
       R"(zone{in="xx${", member="a", zone="x"} 1)"},
      {R"(label_join(sum by (member, zone) (zone), "id", "/", "zone", "member"))",
       R"({id="x/a", member="a", zone="x"} 1; {id="y/b", member="b", zone="y"} 1)"},
      {"sort_desc(size)", R"(size{member="a"} 220; size{member="b"} 50)"},
      {"SUM(up) BY (member) # comments are left out", R"({member="a"} 1; {member="b"} 0)"},
  };
  for (const auto& [text, expected] : rows) {
    EXPECT_EQ(at(12, text), expected) << text;
  }
}

TEST(Expression, LooksBackFiveMinutesAndNotBehindAnEnd) {
  EXPECT_EQ(at(13, "gappy"), "gappy 9");
  EXPECT_EQ(at(14, "gappy"), "") << "the last value is five minutes old";
  EXPECT_EQ(at(8, R"(up{member="c"})"), R"(up{member="c"} 1)");
  EXPECT_EQ(at(9, R"(up{member="c"})"), "");
}

TEST(Expression, SaysWhereItIsWrongAndWhatToDo) {
  struct Row {
    std::string_view text;
    std::string_view expected;
  };
  const std::vector<Row> rows = {
      {"", "column 1: the expression ends too early"},
      {"up ==", "column 6: the expression ends too early"},
      {"up == 0 0", "column 9: \"0\" is one too many"},
      {"rate(up)", "column 6: argument 1 of rate() is a range, not a vector; write metric[5m]"},
      {"up[5m] > 1", "column 1: > stands between numbers and vectors, not a range"},
      {"raet(up[5m])", "column 1: there is no function raet(); did you mean rate()?"},
      {"up{member=a}", "column 11: a label's value stands in quotes"},
      {"up{member=~\"(\"}", "column 12: \"(\" is no pattern"},
      {"{member=\"a\"}", "column 1: name the metric"},
      {"up[2d]", "column 3: values are kept for a day"},
      {"sum(up) + rate(up[5m]", "column 22: expected \",\" between two arguments"},
      {"1 > 2", "column 3: between two numbers write > bool"},
      {"up and 1", "column 4: and needs a vector on both sides"},
      {"up @ 5", "column 4: @ is not known here"},
      {"up +\n  down[", "line 2, column 8: expected a range such as [5m]"},
      {"up{a=\"b", "column 6: the closing quote is missing"},
      {"5x", "column 1: \"5x\" is neither a number nor a duration"},
      {"up ! 5", "column 4: \"!\" means nothing here"},
      {"topk(up)", "column 1: write topk(number, vector)"},
      {"max_over_time(up[1d:1m])", "column 17: more than 300 steps"},
      {"max_over_time(max_over_time(up[5m:1m])[5m:1m])", "column 39: a range with a step cannot"},
      {"clamp(up, 1)", "column 1: clamp() takes 3 arguments"},
  };
  for (const auto& [text, expected] : rows) EXPECT_THAT(at(12, text), HasSubstr(expected)) << text;
}

TEST(Expression, SaysWhichElementsDoNotFit) {
  EXPECT_THAT(at(12, "total / on(member) quota"), HasSubstr("write group_left"));
  EXPECT_THAT(at(12, "quota / on(member) total"), HasSubstr("several elements on the right side"));
}

TEST(Expression, IsBoundedInDepthAndLength) {
  std::string deep(1'000, '(');
  EXPECT_THAT(at(0, deep), HasSubstr("too deep"));
  EXPECT_THAT(at(0, std::string(1'000, '-') + "1"), HasSubstr("too deep"));
  std::string chain = "1";
  for (int i = 0; i < 2'000; ++i) chain += "+1";
  EXPECT_THAT(at(0, chain), HasSubstr("too long"));
  EXPECT_THAT(at(0, std::string(20'000, '1')), HasSubstr("more than 16384 characters"));
}

}  // namespace
}  // namespace etcdmon::alert::expr
