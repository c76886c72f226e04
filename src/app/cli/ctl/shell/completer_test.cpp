#include "app/cli/ctl/shell/completer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::app::cli::ctl {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using Words = std::vector<std::string>;

Words complete(std::string_view line, const std::string& word) {
  return completions(line, word, [](const std::string&) { return Words{"/a/2", "/a/1", "/b"}; });
}

TEST(CtlCompletion, OffersCommandsFlagsAndKeys) {
  EXPECT_THAT(complete("le", "le"), ElementsAre("lease"));
  EXPECT_THAT(complete("lease g", "g"), ElementsAre("grant"));
  EXPECT_THAT(complete("etcdctl mem", "mem"), ElementsAre("member"));
  EXPECT_THAT(complete("get /a", "/a"), ElementsAre("/a/1", "/a/2"));
  EXPECT_THAT(complete("get --prefix /b", "/b"), ElementsAre("/b"));
  EXPECT_THAT(complete("get --pre", "--pre"), ElementsAre("--prefix"));
  EXPECT_THAT(complete("get --write", "--write"), ElementsAre("--write-out="));
  EXPECT_THAT(complete("", ""), Contains("exit"));
  EXPECT_THAT(complete("lease grant 1", "1"), IsEmpty());
}

TEST(CtlShell, DropsTheProgramOfPastedLines) {
  EXPECT_EQ(without_program({"etcdctl", "get", "a"}), (Words{"get", "a"}));
  EXPECT_EQ(without_program({"etcd-monitor", "ctl", "get", "a"}), (Words{"get", "a"}));
  EXPECT_THAT(without_program({}), IsEmpty());
}

TEST(CtlShell, KeepsNoPasswords) {
  EXPECT_TRUE(may_be_kept("get --prefix a"));
  EXPECT_FALSE(may_be_kept("user add bob:secret"));
  EXPECT_FALSE(may_be_kept("get a --user=root:secret"));
  EXPECT_FALSE(may_be_kept("get a --password secret"));
}

}  // namespace
}  // namespace etcdmon::app::cli::ctl
