#include "app/cli/ctl/line/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::app::cli::ctl {
namespace {

using testing::HasSubstr;
using Words = std::vector<std::string>;

struct Case {
  const char* name;
  Words words;
  std::string command;  ///< or the error
  Words arguments{};
  Words flags{};  ///< "name=value" of those that were set
  friend std::ostream& operator<<(std::ostream& os, const Case& c) { return os << c.name; }
};

Words set_flags(const CommandLine& line) {
  Words out;
  for (const auto& flag : line.flags.flags()) {
    if (line.flags.is_set(flag.name)) {
      out.push_back(fmt::format("{}={}", flag.name, line.flags.text(flag.name)));
    }
  }
  std::ranges::sort(out);
  return out;
}

class CtlLine : public testing::TestWithParam<Case> {};

TEST_P(CtlLine, IsUnderstood) {
  const auto line = parse_command_line(GetParam().words, {});
  if (!line) {
    EXPECT_EQ(line.error().message, GetParam().command);
    return;
  }
  EXPECT_EQ(line->command == nullptr ? "" : line->command->path, GetParam().command);
  EXPECT_EQ(line->arguments, GetParam().arguments);
  EXPECT_EQ(set_flags(*line), GetParam().flags);
}

INSTANTIATE_TEST_SUITE_P(
    Table, CtlLine,
    testing::Values(
        Case{"Plain", {"get", "a"}, "get", {"a"}},
        Case{"TwoWords", {"lease", "grant", "10"}, "lease grant", {"10"}},
        Case{"Short", {"mem", "li"}, "member list"},
        Case{"FlagsBefore",
             {"-w", "json", "--endpoints", "a,b", "get", "k"},
             "get",
             {"k"},
             {"endpoints=a,b", "write-out=json"}},
        Case{
            "FlagsBetween", {"lease", "--hex", "grant", "10"}, "lease grant", {"10"}, {"hex=true"}},
        Case{"FlagsAfter",
             {"get", "k", "--prefix", "--limit=3", "z"},
             "get",
             {"k", "z"},
             {"limit=3", "prefix=true"}},
        Case{"SwitchIsNotFollowedByItsValue",
             {"get", "--prefix", "false"},
             "get",
             {"false"},
             {"prefix=true"}},
        Case{"SwitchOff", {"get", "--prefix=false", "k"}, "get", {"k"}, {"prefix=false"}},
        Case{"ShortGlued", {"get", "k", "-wjson"}, "get", {"k"}, {"write-out=json"}},
        Case{"ShortEquals", {"get", "k", "-w=json"}, "get", {"k"}, {"write-out=json"}},
        Case{"ShortShared",
             {"txn", "-iw", "json"},
             "txn",
             {},
             {"interactive=true", "write-out=json"}},
        Case{"Dashes", {"put", "k", "--", "--lease"}, "put", {"k", "--lease"}},
        Case{"ListGrows",
             {"get", "k", "--endpoints=a", "--endpoints", "b,c"},
             "get",
             {"k"},
             {"endpoints=a,b,c"}},
        Case{"LoneDash", {"put", "k", "-"}, "put", {"k", "-"}},
        Case{"Negative", {"get", "k", "--rev", "-1"}, "get", {"k"}, {"rev=-1"}},
        Case{"Group", {"lease"}, ""}, Case{"Nothing", {}, ""},
        Case{"Unknown", {"bogus"}, "unknown command \"bogus\" for \"etcd-monitor ctl\""},
        Case{"Near",
             {"gett"},
             "unknown command \"gett\" for \"etcd-monitor ctl\"\n\nDid you mean this?\n\tget\n"},
        Case{"UnknownInGroup",
             {"lease", "gant"},
             "unknown command \"gant\" for \"etcd-monitor ctl lease\"\n\nDid you mean "
             "this?\n\tgrant\n"},
        Case{"UnknownFlag", {"get", "--bogus"}, "unknown flag: --bogus"},
        Case{"NearFlag", {"get", "--prefx"}, "unknown flag: --prefx; did you mean --prefix?"},
        Case{"UnknownShort", {"get", "-z"}, "unknown shorthand flag: 'z' in -z"},
        Case{"NoValue", {"get", "--limit"}, "flag needs an argument: --limit"},
        Case{"NoShortValue", {"get", "-w"}, "flag needs an argument: 'w' in -w"},
        Case{
            "NotANumber",
            {"get", "--limit", "x"},
            "invalid argument \"x\" for \"--limit\" flag: strconv.ParseInt: parsing \"x\": invalid "
            "syntax"},
        Case{"NotASwitch",
             {"get", "--prefix=maybe"},
             "invalid argument \"maybe\" for \"--prefix\" flag: strconv.ParseBool: parsing "
             "\"maybe\": invalid syntax"},
        Case{
            "NoUnit",
            {"get", "--command-timeout=5"},
            "invalid argument \"5\" for \"--command-timeout\" flag: time: missing unit in duration "
            "\"5\""},
        Case{"BadSyntax", {"get", "--=x"}, "bad flag syntax: --=x"}),
    testing::PrintToStringParamName());

TEST(CtlLineDashes, AreCounted) {
  const Words words{"watch", "foo", "--rev", "3", "--", "echo", "--rev"};
  const auto line = parse_command_line(words, {});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->arguments, (Words{"foo", "echo", "--rev"}));
  EXPECT_EQ(line->dashes, 1U);
}

TEST(CtlLineValues, HaveTheirStandards) {
  const Words words{"lock", "x"};
  const auto line = parse_command_line(words, {});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->flags.number("ttl"), 10);
  EXPECT_EQ(line->flags.duration("command-timeout"), std::chrono::seconds(5));
  EXPECT_EQ(line->flags.list("endpoints"), (Words{"127.0.0.1:2379"}));
  EXPECT_FALSE(line->flags.on("hex"));
  EXPECT_FALSE(line->flags.is_set("ttl"));
}

TEST(CtlEnvironment, FillsInWhatFlagsLeaveOpen) {
  const std::vector<std::pair<std::string, std::string>> environment = {
      {"ETCDCTL_API", "3"},        {"ETCDCTL_ENDPOINTS", "a"},   {"ETCDCTL_WRITE_OUT", "json"},
      {"ETCDCTL_PASSWROD", "boo"}, {"ETCDCTL_DIAL_TIMEOUT", ""}, {"PATH", "/bin"}};
  const Words words{"get", "k", "-w", "fields"};
  const auto line = parse_command_line(words, environment);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->flags.text("endpoints"), "a");
  EXPECT_EQ(line->flags.text("write-out"), "fields");
  EXPECT_THAT(line->remarks,
              testing::ElementsAre(
                  "environment variable ETCDCTL_WRITE_OUT is not heard: --write-out was given",
                  "unrecognized environment variable ETCDCTL_PASSWROD"));
}

TEST(CtlEnvironment, BadValueIsAnError) {
  const std::vector<std::pair<std::string, std::string>> environment = {
      {"ETCDCTL_DIAL_TIMEOUT", "soon"}};
  const Words words{"get", "k"};
  EXPECT_EQ(parse_command_line(words, environment).error().message,
            "invalid value \"soon\" for ETCDCTL_DIAL_TIMEOUT: time: invalid duration \"soon\"");
}

TEST(CtlHelp, IsThereForEverything) {
  for (const auto& command : command_specs()) {
    const Words words{"help", std::string(command.path.substr(0, command.path.find(' '))),
                      std::string(command.path.substr(
                          std::min(command.path.find(' '), command.path.size() - 1) + 1))};
    SCOPED_TRACE(command.path);
    const auto help =
        help_for(command.path.find(' ') == std::string_view::npos ? std::span(words).subspan(1, 1)
                                                                  : std::span(words).subspan(1));
    ASSERT_TRUE(help);
    EXPECT_THAT(*help, HasSubstr(command.path == "options"
                                     ? std::string("--endpoints")
                                     : "etcd-monitor ctl " + std::string(command.path)));
  }
  const Words nothing{"get", "-h"};
  EXPECT_THAT(parse_command_line(nothing, {})->help,
              HasSubstr("Usage: etcd-monitor ctl get <key>"));
  EXPECT_TRUE(std::ranges::is_sorted(command_specs(), {}, &CommandSpec::path));
}

}  // namespace
}  // namespace etcdmon::app::cli::ctl
