#include "base/rfc3339.hpp"

#include <gtest/gtest.h>

namespace etcdmon {
namespace {

struct Row {
  const char* text;
  const char* as;  ///< as it is shown; nullptr: refused
};

class Rfc3339 : public testing::TestWithParam<Row> {};

TEST_P(Rfc3339, IsRead) {
  const auto [text, as] = GetParam();
  const auto time = parse_rfc3339(text);
  ASSERT_EQ(time.has_value(), as != nullptr) << text;
  if (as != nullptr) {
    EXPECT_EQ(to_rfc3339(*time), as);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Rfc3339,
    testing::Values(Row{"2026-11-23T15:00:00Z", "2026-11-23T15:00:00Z"},
                    Row{"2026-11-23t15:00:00z", "2026-11-23T15:00:00Z"},
                    Row{"2026-11-23 15:00:00Z", "2026-11-23T15:00:00Z"},
                    Row{"2026-11-23T16:00:00.25+01:00", "2026-11-23T15:00:00.250Z"},
                    Row{"2026-11-23T14:30:00-00:30", "2026-11-23T15:00:00Z"},
                    Row{"2026-11-23T15:00:00.1234567899Z", "2026-11-23T15:00:00.123Z"},
                    Row{"2024-02-29", "2024-02-29T00:00:00Z"}, Row{"2026-02-29", nullptr},
                    Row{"2026-13-01", nullptr}, Row{"2026-11-23T24:00:00Z", nullptr},
                    Row{"2026-11-23T15:00:00", nullptr}, Row{"2026-11-23T15:00:00.Z", nullptr},
                    Row{"2026-11-23T15:00:00Zx", nullptr},
                    Row{"2026-11-23T15:00:00+25:00", nullptr}, Row{"9999-01-01", nullptr},
                    Row{"tomorrow", nullptr}, Row{"", nullptr}));

}  // namespace
}  // namespace etcdmon
