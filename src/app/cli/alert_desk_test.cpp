#include "app/cli/detail/alert_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::app::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(Columns, AreAsWideAsTheirWidestCell) {
  EXPECT_EQ(columns({{"ID", "BY"}, {"42", "ānna"}, {"long one", ""}}),
            "ID        BY\n42        ānna\nlong one\n");
}

TEST(AlertsText, HasALineAndASummaryEach) {
  const json alerts = {{{"id", "9f3b7a12c04d5e66"},
                        {"severity", "critical"},
                        {"state", "firing"},
                        {"cluster", "prod"},
                        {"rule", "NoLeader"},
                        {"summary", "no leader for 3 s"},
                        {"pending_since", "2026-03-02T03:12:44.123Z"},
                        {"firing_since", "2026-03-02T03:12:47.5Z"}},
                       {{"id", "1"},
                        {"severity", "info"},
                        {"state", "pending"},
                        {"cluster", "prod"},
                        {"rule", "FsyncSlow"},
                        {"summary", "slow"},
                        {"pending_since", "2026-03-02T03:12:44Z"},
                        {"firing_since", nullptr}}};
  EXPECT_EQ(alerts_text(alerts),
            "ID                SEVERITY  STATE    SINCE                 CLUSTER  RULE\n"
            "9f3b7a12c04d5e66  critical  firing   2026-03-02T03:12:47Z  prod     NoLeader\n"
            "    no leader for 3 s\n"
            "1                 info      pending  2026-03-02T03:12:44Z  prod     FsyncSlow\n"
            "    slow\n");
  EXPECT_EQ(alerts_text(json::array()), "no alert is pending or firing\n");
}

TEST(DeskFlags, WordsThatNobodyKnowsAreRefused) {
  const struct {
    std::vector<std::string> given;
    const char* complaint;  ///< null: fine
  } rows[] = {
      {{"--severity=warning", "--state=firing", "-w", "json"}, nullptr},
      {{"--severity=bad"}, "info, warning, critical"},
      {{"--fail-on=error"}, "info, warning, critical"},
      {{"--state=resolved"}, "pending, firing"},
      {{"-w", "yaml"}, "simple, json"},
  };
  for (const auto& row : rows) {
    const auto issues = check_desk_flags(config::parse_flags(desk_flags(), row.given));
    ASSERT_EQ(issues.size(), row.complaint == nullptr ? 0U : 1U) << row.given[0];
    if (row.complaint != nullptr) {
      EXPECT_THAT(issues[0].message, HasSubstr(row.complaint));
    }
  }
}

TEST(UrlEscape, LeavesOnlyWhatIsPlain) {
  EXPECT_EQ(url_escape("prod-1_a.b~c"), "prod-1_a.b~c");
  EXPECT_EQ(url_escape("a b/c?&=é"), "a%20b%2Fc%3F%26%3D%C3%A9");
}

}  // namespace
}  // namespace etcdmon::app::cli
