#include "notify/console.hpp"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::notify {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// What the console wrote into a temporary file.
std::string written(bool colours, const model::AlertEvent& event) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  Console console({.out = file.get(), .colours = colours}, Logger{});
  console.tell(event);
  std::rewind(file.get());
  std::string text(1024, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

model::AlertEvent firing() {
  model::AlertEvent event;
  event.what = model::AlertEvent::What::kFiring;
  event.at = WallTime(1'760'178'600s);
  event.alert = {.id = "00",
                 .cluster = "prod-a",
                 .rule = "QuorumLost",
                 .subject = "",
                 .severity = model::Severity::kCritical,
                 .summary = "1 of 3 voters answers",
                 .detail = {},
                 .value = {},
                 .threshold = {},
                 .labels = {},
                 .runbook = "docs/runbooks/QuorumLost.md",
                 .firing_since = {},
                 .resolved_at = {}};
  return event;
}

TEST(Console, OneLineSaysWhatWhereAndWhereToRead) {
  const auto line = written(false, firing());
  EXPECT_THAT(line, HasSubstr("critical prod-a  FIRING QuorumLost: 1 of 3 voters answers (see "
                              "docs/runbooks/QuorumLost.md)\n"));
  EXPECT_THAT(line, testing::Not(HasSubstr("\x1b")));
}

TEST(Console, ColoursOnlyWhereWanted) {
  EXPECT_THAT(written(true, firing()), HasSubstr("\x1b[31;1m"));
}

TEST(Console, EventsReadAsSentences) {
  const model::Event event{.kind = model::EventKind::kMemberDown,
                           .severity = model::Severity::kWarning,
                           .cluster = "prod-a",
                           .member = MemberId{1},
                           .subject = "infra1",
                           .text = "member infra1 is unreachable (refused)",
                           .at = WallTime(1'760'178'600s)};
  EXPECT_THAT(readable(event),
              HasSubstr("warning  prod-a  member infra1 is unreachable (refused)"));
}

}  // namespace
}  // namespace etcdmon::notify
