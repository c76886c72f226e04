#include "alert/label_matcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::alert {
namespace {

const Labels kLabels{{"alertname", "MemberHung"}, {"cluster", "prod-a"}, {"severity", "critical"}};

struct Row {
  const char* text;
  bool matches;
};

class Matches : public testing::TestWithParam<Row> {};

TEST_P(Matches, AsPrometheusDoes) {
  const auto matcher = LabelMatcher::parse(GetParam().text);
  ASSERT_TRUE(matcher) << matcher.error().message;
  EXPECT_EQ(matcher->matches(kLabels), GetParam().matches);
  // What it is written as means the same.
  EXPECT_EQ(LabelMatcher::parse(matcher->text()).value().text(), matcher->text());
}

INSTANTIATE_TEST_SUITE_P(
    Table, Matches,
    testing::Values(Row{"severity=critical", true}, Row{"severity=\"critical\"", true},
                    Row{" severity = critical ", true}, Row{"severity=crit", false},
                    Row{"severity!=info", true}, Row{"alertname=~Member.*", true},
                    Row{"rule=~Member.*", true}, Row{"rule=~Member", false},  // the whole value
                    Row{"rule=~\"Member(Hung|Unreachable)\"", true},
                    Row{"cluster!~\"test|staging\"", true}, Row{"cluster=~prod-\\w", true},
                    Row{"cluster=~\"prod-\\\\w\"", true},
                    Row{"subject=", true},  // not there is empty
                    Row{"subject=~.*", true}, Row{"subject=~.+", false},
                    Row{"subject!=infra1", true}));

struct Bad {
  const char* text;
  const char* message;
};

class Refuses : public testing::TestWithParam<Bad> {};

TEST_P(Refuses, AndSaysWhy) {
  const auto matcher = LabelMatcher::parse(GetParam().text);
  ASSERT_FALSE(matcher);
  EXPECT_EQ(matcher.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(matcher.error().message, testing::HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(Table, Refuses,
                         testing::Values(Bad{"", "is no matcher"}, Bad{"severity", "is no matcher"},
                                         Bad{"=critical", "is no name of a label"},
                                         Bad{"se verity=a", "is no name of a label"},
                                         Bad{"severity!critical", "comes =, !=, =~ or !~"},
                                         Bad{"severity=\"critical", "closing quote is missing"},
                                         Bad{"severity=\"a\"b", "follow the closing quote"},
                                         Bad{"rule=~(", "is no pattern"}));

}  // namespace
}  // namespace etcdmon::alert
