#include "app/routing_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::app {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kEnabled{"slack", "pagerduty"};

TEST(RoutingOptions, NothingWrittenTellsEveryChannel) {
  const auto options = routing_options({}, kEnabled);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->root.channels, kEnabled);
  EXPECT_THAT(options->root.routes, IsEmpty());
  EXPECT_EQ(options->inhibit.size(), alert::default_inhibit_rules().size());
}

TEST(RoutingOptions, ARouteHasWhatItDoesNotSayFromAbove) {
  RoutingSettings settings;
  settings.group_interval = 1min;
  settings.routes.resize(2);
  settings.routes[0].name = "page";
  settings.routes[0].match = {"severity=critical"};
  settings.routes[0].channels = {"pagerduty"};
  settings.routes[0].escalate_after = 15min;
  settings.routes[0].escalate_to = {"slack"};
  settings.routes[0].routes.resize(1);
  settings.routes[0].routes[0].match = {"cluster=test"};
  settings.routes[0].routes[0].channels = {"none"};
  const auto options = routing_options(settings, kEnabled);
  ASSERT_TRUE(options) << options.error().message;
  const auto& page = options->root.routes.at(0);
  EXPECT_EQ(page.name, "root/page");
  EXPECT_THAT(page.channels, ElementsAre("pagerduty"));
  EXPECT_EQ(page.group_interval, 1min);
  EXPECT_EQ(page.routes.at(0).name, "root/page/1");
  EXPECT_THAT(page.routes.at(0).channels, IsEmpty());
  EXPECT_EQ(page.routes.at(0).escalate_after, Duration(15min));
  EXPECT_EQ(options->root.routes.at(1).name, "root/2");
  EXPECT_EQ(options->root.routes.at(1).channels, kEnabled);
}

TEST(RoutingOptions, RefusesWhatIsNotThere) {
  const auto refused = [](const RoutingSettings& settings) {
    const auto options = routing_options(settings, kEnabled);
    return options ? std::string("accepted") : options.error().message;
  };
  RoutingSettings channel;
  channel.routes.resize(1);
  channel.routes[0].channels = {"slakc"};
  EXPECT_THAT(refused(channel), HasSubstr("route root/1 tells \"slakc\", which is no channel"));
  RoutingSettings time;
  time.routes.resize(1);
  time.routes[0].mute_times = {"night"};
  EXPECT_THAT(refused(time), HasSubstr("mute time \"night\", which is not declared"));
  RoutingSettings twice;
  twice.routes.resize(2);
  for (auto& route : twice.routes) route.name = "same";
  EXPECT_THAT(refused(twice), HasSubstr("two routes are called root/same"));
}

}  // namespace
}  // namespace etcdmon::app
