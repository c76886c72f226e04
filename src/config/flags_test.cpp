#include "config/flags.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/example_options.hpp"

namespace etcdmon::config {
namespace {

using testing::HasSubstr;

struct Case {
  const char* name;
  std::vector<std::string> words;
  std::vector<std::string> values;
  std::vector<std::string> arguments;
  std::vector<std::string> issues;
  friend std::ostream& operator<<(std::ostream& os, const Case& c) { return os << c.name; }
};

class ParseFlags : public testing::TestWithParam<Case> {};

TEST_P(ParseFlags, TakesApart) {
  const auto known = flags_of(ExampleOptions::schema());
  const auto parsed = parse_flags(known, GetParam().words);
  std::vector<std::string> values;
  for (const auto& [name, value] : parsed.values)
    values.push_back(fmt::format("{}={}", name, value));
  EXPECT_EQ(values, GetParam().values);
  EXPECT_EQ(parsed.arguments, GetParam().arguments);
  std::vector<std::string> issues;
  for (const auto& issue : parsed.issues) issues.push_back(to_string(issue));
  EXPECT_EQ(issues, GetParam().issues);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ParseFlags,
    testing::Values(
        Case{"Nothing", {}}, Case{"Equals", {"--port=1"}, {"port=1"}},
        Case{"Space", {"--port", "1"}, {"port=1"}},
        Case{"OneDash", {"-port=1", "-pulse", "2s"}, {"port=1", "pulse=2s"}},
        Case{"ValueWithEquals", {"--password=a=b"}, {"password=a=b"}},
        Case{"ValueWithADash", {"--password", "-x"}, {"password=-x"}},
        Case{"EmptyValue", {"--password="}, {"password="}},
        Case{"SwitchOn", {"--probe"}, {"probe=true"}},
        Case{"SwitchOff", {"--probe=false", "--console=0"}, {"probe=false", "console=false"}},
        Case{"SwitchDoesNotEat", {"--probe", "--port=1"}, {"probe=true", "port=1"}},
        Case{"Repeats", {"--addresses=a", "--addresses=b"}, {"addresses=a", "addresses=b"}},
        Case{"ArgumentsBetween", {"perf", "--port=1", "xl"}, {"port=1"}, {"perf", "xl"}},
        Case{"DashDashEnds", {"--port=1", "--", "--port=2"}, {"port=1"}, {"--port=2"}},
        Case{"LoneDashIsAnArgument", {"-"}, {}, {"-"}},
        Case{"SecretFile", {"--password-file=x"}, {"password-file=x"}},
        Case{"Unknown", {"--prot=1"}, {}, {}, {"--prot: unknown flag; did you mean --port?"}},
        Case{"UnknownEatsItsValue",
             {"--unheard-of", "1", "--port=1"},
             {"port=1"},
             {},
             {"--unheard-of: unknown flag"}},
        Case{"UnknownHidesItsValue",
             {"--pasword=s3cret"},
             {},
             {},
             {"--pasword: unknown flag; did you mean --password?"}},
        Case{
            "AllAtOnce",
            {"--prot=1", "--probe=maybe", "--pulse"},
            {},
            {},
            {"--prot: unknown flag; did you mean --port?",
             "--probe: \"maybe\" is not true or false", "--pulse: needs a value; write --pulse=…"}},
        Case{"ValueIsAFlag",
             {"--password", "--port=1"},
             {"port=1"},
             {},
             {"--password: needs a value; write --password=…"}},
        Case{"SwitchWithSpace",
             {"--probe", "false"},
             {"probe=true"},
             {},
             {"--probe: write --probe=false"}},
        Case{"NoName", {"--=1"}, {}, {}, {"--: unknown flag"}}),
    testing::PrintToStringParamName());

TEST(ParsedFlags, LastOneCounts) {
  const auto known = flags_of(ExampleOptions::schema());
  const std::vector<std::string> words = {"--port=1", "--port=2", "--probe", "--probe=false"};
  const auto parsed = parse_flags(known, words);
  ASSERT_NE(parsed.last("port"), nullptr);
  EXPECT_EQ(*parsed.last("port"), "2");
  EXPECT_EQ(parsed.last("pulse"), nullptr);
  EXPECT_FALSE(parsed.is_on("probe"));
  EXPECT_FALSE(parsed.is_on("console"));
}

TEST(Bindings, NameFlagsAndVariables) {
  std::map<std::string, FlagSpec> by_variable;
  for (const auto& binding : bindings_of(ExampleOptions::schema()))
    by_variable[binding.flag.environment] = binding.flag;
  EXPECT_EQ(by_variable.at("ETCD_MONITOR_LATENCY_MS").default_value, "100");
  EXPECT_EQ(by_variable.at("ETCD_MONITOR_SIZE_MB").default_value, "8192");
  EXPECT_EQ(by_variable.at("ETCD_MONITOR_PROBE").value, "");
  EXPECT_EQ(by_variable.at("ETCD_MONITOR_TOKEN").name, "");
  EXPECT_EQ(by_variable.at("ETCD_MONITOR_TOKEN_FILE").name, "");
  EXPECT_EQ(by_variable.at("ETCD_MONITOR_PASSWORD_FILE").name, "password-file");
  EXPECT_EQ(by_variable.at("ETCD_MONITOR_CERT").group, "Servers");
}

TEST(FlagHelp, ShowsDefaultsUnderGroups) {
  const auto text = flag_help(flags_of(ExampleOptions::schema()), 60);
  EXPECT_THAT(
      text,
      HasSubstr("Servers:\n  --addresses <list>\n        Where it is. [ETCD_MONITOR_ADDRESSES]\n"));
  EXPECT_THAT(text, HasSubstr("\n\nExample:\n  --pulse <duration>\n        Time between two "
                              "pulses. Default: 1s.\n        [ETCD_MONITOR_PULSE]\n"));
  EXPECT_THAT(text, HasSubstr("  --probe\n        Whether to write. [ETCD_MONITOR_PROBE]\n"));
  EXPECT_THAT(text, HasSubstr("  --fruit <apple|pear>\n"));
}

}  // namespace
}  // namespace etcdmon::config
