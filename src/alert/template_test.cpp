#include "alert/template.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::alert {
namespace {

using testing::HasSubstr;

std::string rendered(std::string_view text, double value = 0.512) {
  const auto made = Template::parse(text);
  if (!made) return made.error().message;
  return made->render({{"member", "infra1"}, {"job", "etcd"}, {"odd", "%.+f %.2f %"}}, value);
}

TEST(Template, PutsInWhatWasFound) {
  EXPECT_EQ(rendered("plain"), "plain");
  EXPECT_EQ(rendered("{{ $labels.member }} of {{.Labels.job}}: {{ $value }}"),
            "infra1 of etcd: 0.512");
  EXPECT_EQ(rendered("[{{ $labels.nobody }}]"), "[]");
  EXPECT_EQ(rendered("a  {{- $value -}}  b"), "a0.512b");
}

TEST(Template, PipesIntoFunctions) {
  EXPECT_EQ(rendered("{{ $value | humanizePercentage }}"), "51.2%");
  EXPECT_EQ(rendered("{{ printf \"%.1f of %s\" $value $labels.member }}"), "0.5 of infra1");
  EXPECT_EQ(rendered("{{ $value | printf \"%.2f%%\" }}"), "0.51%");
  // A format out of a label is known only when it is used.
  EXPECT_EQ(rendered("{{ printf $labels.odd $value }}"), "%.+f 0.51 %");
  EXPECT_EQ(rendered("{{ printf \"%+08.2f|%-8s|\" $value $labels.member }}"), "+0000.51|infra1  |");
  EXPECT_EQ(rendered("{{ $labels.member | toUpper | printf \"<%s>\" }}"), "<INFRA1>");
  EXPECT_EQ(rendered("{{ humanize $value }}", 1234567), "1.235M");
  EXPECT_EQ(rendered("{{ humanize $value }}"), "512m");
  EXPECT_EQ(rendered("{{ humanize1024 $value }}", 3 << 20), "3Mi");
  EXPECT_EQ(rendered("{{ humanizeDuration $value }}", 93784), "1d 2h 3m 4s");
  EXPECT_EQ(rendered("{{ humanizeDuration $value }}", 0.0123), "12.3ms");
  EXPECT_EQ(rendered("{{ humanizeTimestamp $value }}", 1431331338.5),
            "2015-05-11 08:02:18.5 +0000 UTC");
  EXPECT_EQ(rendered(R"q({{ reReplaceAll "infra(.)" "$1" $labels.member }})q"), "1");
}

TEST(Template, NumbersAreWrittenAsGoWritesThem) {
  EXPECT_EQ(go_number(3), "3");
  EXPECT_EQ(go_number(1e6), "1000000");
  EXPECT_EQ(go_number(1e21), "1e+21");
  EXPECT_EQ(go_number(0.00001), "1e-05");
  EXPECT_EQ(go_number(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(go_number(-1.0 / 0.0), "-Inf");
}

TEST(Template, SaysWhatIsNotKnownHere) {
  EXPECT_THAT(rendered("{{ if $value }}"), HasSubstr("no conditions, loops or queries"));
  EXPECT_THAT(rendered("{{ $value | sparkle }}"), HasSubstr("sparkle"));
  EXPECT_THAT(rendered("{{ $value"), HasSubstr("not closed"));
  for (const auto* format : {"%d", "%.5+f", "%.+f", "%1234f", "%.123f", "%"}) {
    EXPECT_THAT(rendered(fmt::format("{{{{ printf \"{}\" $value }}}}", format)), HasSubstr("%.2f"))
        << format;
  }
  EXPECT_THAT(rendered("{{ humanize }}"), HasSubstr("humanize takes 1"));
  EXPECT_THAT(rendered("{{ }}"), HasSubstr("missing"));
}

}  // namespace
}  // namespace etcdmon::alert
