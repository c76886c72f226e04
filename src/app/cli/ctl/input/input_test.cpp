#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/cli/ctl/input/txn_language.hpp"
#include "app/cli/ctl/input/watch_language.hpp"
#include "app/cli/ctl/line/command_table.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {
namespace {

using Words = std::vector<std::string>;

struct Case {
  const char* name;
  std::string line;
  std::string result;  ///< or the error
  friend std::ostream& operator<<(std::ostream& os, const Case& c) { return os << c.name; }
};

std::string to_text(const wire::Compare& compare) {
  const auto number = [&compare] {
    switch (compare.target()) {
      case wire::Compare::VERSION:
        return compare.version();
      case wire::Compare::CREATE:
        return compare.create_revision();
      case wire::Compare::MOD:
        return compare.mod_revision();
      default:
        return compare.lease();
    }
  };
  return fmt::format(
      "{} {} {} {}", wire::Compare::Target_Name(compare.target()), compare.key(),
      wire::Compare::Result_Name(compare.result()),
      compare.target() == wire::Compare::VALUE ? compare.value() : fmt::format("{}", number()));
}

class TxnCompare : public testing::TestWithParam<Case> {};

TEST_P(TxnCompare, IsReadAsEtcdctlDoes) {
  const auto compare = parse_compare(GetParam().line);
  EXPECT_EQ(compare ? to_text(*compare) : compare.error().message, GetParam().result);
  EXPECT_TRUE(compare || compare.error().code == ExitCode::kInvalidInput);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TxnCompare,
    testing::Values(
        Case{"Mod", R"(mod("a") > "0")", "MOD a GREATER 0"},
        Case{"Short", R"(m("a") < "5")", "MOD a LESS 5"},
        Case{"Version", R"(ver("a") != "1")", "VERSION a NOT_EQUAL 1"},
        Case{"Create", R"(create("a") = "-1")", "CREATE a EQUAL -1"},
        Case{"Value", R"(val("a\x20b") = "c\"d")", "VALUE a b EQUAL c\"d"},
        Case{"RawQuotes", "val(`a`) = `b`", "VALUE a EQUAL b"},
        Case{"Lease", R"(lease("a") = "1f")", "LEASE a EQUAL 31"},
        Case{"ManySpaces", R"(val( "a")    =     "b")", "VALUE a EQUAL b"},
        Case{"TrailingText", R"(val("a") = "b"x)", "VALUE a EQUAL b"},
        Case{"NoQuotes", R"(mod("a") > 0)",
             R"(malformed comparison: mod("a") > 0; got mod("a") > "")"},
        Case{"NoKeyQuotes", R"(mod(a) = "0")",
             R"(malformed comparison: mod(a) = "0"; got mod("")  "")"},
        Case{"NoSpaces", R"(val("a")="b")",
             R"(malformed comparison: val("a")="b"; got val("a")  "")"},
        Case{"NoParenthesis", R"(mod"a" = "0")", R"(malformed comparison: mod"a" = "0")"},
        Case{"UnknownTarget", R"(foo("a") > "0")",
             R"(malformed comparison: foo("a") > "0" (unknown target foo))"},
        Case{"UnknownSign", R"(mod("a") ~ "0")",
             R"(malformed comparison: mod("a") ~ "0" (unknown operator ~))"},
        Case{"NotANumber", R"(mod("a") = "x")", R"(invalid txn compare request: mod("a") = "x")"}),
    testing::PrintToStringParamName());

class TxnOperations : public testing::TestWithParam<Case> {};

TEST_P(TxnOperations, AreReadAsCommandLines) {
  const auto operation = parse_operation(GetParam().line);
  EXPECT_EQ(operation ? fmt::format("{}|{}", operation->command,
                                    fmt::join(operation->request.arguments, "|"))
                      : operation.error().message,
            GetParam().result);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TxnOperations,
    testing::Values(Case{"Put", R"(put k "a b")", "put|k|a b"}, Case{"Prefix", "pu k v", "put|k|v"},
                    Case{"Flags", "get --prefix k --limit 3", "get|k"},
                    Case{"SingleQuotes", R"(put 'k' 'sq\n')", R"(put|k|sq\n)"},
                    Case{"Unknown", "bogus k", "invalid txn request: bogus k"},
                    Case{"Alone", "get", "invalid txn compare request: get"},
                    Case{"BadFlag", "get a --bogus",
                         "invalid txn request: get a --bogus (unknown flag: --bogus)"},
                    Case{"BadQuotes", R"(put k "\q")", "invalid syntax"}),
    testing::PrintToStringParamName());

TEST(TxnReading, HasThreeParts) {
  TxnReader reader;
  EXPECT_EQ(reader.prompt(), "compares:");
  for (const auto* line :
       {"  mod(\"a\") > \"0\"  ", "", "put a b", "get a", " ", "del a --prefix"}) {
    EXPECT_EQ(reader.take(line).has_value(), false);
  }
  EXPECT_EQ(reader.prompt(), "failure requests (get, put, del):");
  EXPECT_EQ(reader.part(), TxnReader::Part::kFailure);
  reader.take("");
  EXPECT_EQ(reader.part(), TxnReader::Part::kDone);
  EXPECT_EQ(reader.compares().size(), 1U);
  EXPECT_EQ(reader.success().size(), 2U);
  ASSERT_EQ(reader.failure().size(), 1U);
  EXPECT_TRUE(reader.failure()[0].request.flags.on("prefix"));
}

struct WatchCase {
  const char* name;
  Words words;
  std::string result;  ///< "key|end|command" or the error
  std::optional<std::size_t> dashes{};
  WatchEnvironment environment{};
  friend std::ostream& operator<<(std::ostream& os, const WatchCase& c) { return os << c.name; }
};

std::string to_text(const WatchTarget& target) {
  return fmt::format("{}|{}|{}", target.key, target.range_end.value_or("-"),
                     fmt::join(target.command, " "));
}

class WatchTargets : public testing::TestWithParam<WatchCase> {};

TEST_P(WatchTargets, ComeFromArgumentsOrEnvironment) {
  const auto& flags = find_command_spec("watch")->flags;
  const Request request{FlagValues({flags.begin(), flags.end()}), GetParam().words,
                        GetParam().dashes};
  const auto target = watch_target(request, GetParam().environment);
  EXPECT_EQ(target ? to_text(*target) : target.error().message, GetParam().result);
}

INSTANTIATE_TEST_SUITE_P(
    Table, WatchTargets,
    testing::Values(WatchCase{"Key", {"a"}, "a|-|"}, WatchCase{"Range", {"a", "b"}, "a|b|"},
                    WatchCase{"Command", {"a", "echo", "x"}, "a|-|echo x", 1},
                    WatchCase{"Environment", {}, "k|e|", {}, {"k", "e"}},
                    WatchCase{"EnvironmentAndCommand", {"echo"}, "k|-|echo", 0, {"k", ""}},
                    WatchCase{"Nothing", {}, "bad number of arguments"},
                    WatchCase{"TooMany", {"a", "b", "c"}, "bad number of arguments"},
                    WatchCase{"NoCommand",
                              {"a"},
                              "bad number of arguments (found separator --, but no commands)",
                              1},
                    WatchCase{"Both",
                              {"a"},
                              "bad number of arguments (found conflicting environment key)",
                              {},
                              {"k", ""}},
                    WatchCase{"OnlyEnd",
                              {"a"},
                              "ETCDCTL_WATCH_KEY is empty but got ETCDCTL_WATCH_RANGE_END=\"e\"",
                              {},
                              {"", "e"}}),
    testing::PrintToStringParamName());

std::string to_text(const InteractiveLine& line) {
  struct Visitor {
    std::string operator()(const WatchLine& w) const { return to_text(w.target); }
    std::string operator()(const ProgressLine& /*unused*/) const { return "progress"; }
    std::string operator()(const RefusedLine& r) const { return r.message; }
    std::string operator()(const Exit& e) const { return "exit: " + e.message; }
  };
  return std::visit(Visitor{}, line);
}

TEST(WatchLines, AreRead) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"watch a", "a|-|"},
      {"watch --prefix \"a b\" --rev 3", "a b|-|"},
      {"watch a b -- echo 'c d'", "a|b|echo c d"},
      {"progress", "progress"},
      {"", "Invalid command:  (watch and progress supported)"},
      {"watch", "Invalid command watch (command type or key is not provided)"},
      {"get a", "Invalid command get a (only support watch)"},
      {"watch --bogus a", "exit: unknown flag: --bogus"},
      {"watch a b --prefix", "exit: `range_end` and `--prefix` are mutually exclusive"},
  };
  for (const auto& [line, result] : cases) EXPECT_EQ(to_text(parse_watch_line(line, {})), result);
}

}  // namespace
}  // namespace etcdmon::app::cli::ctl
