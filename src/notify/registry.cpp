#include "notify/registry.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace etcdmon::notify {

namespace {

// A name that can be a template argument.
template <std::size_t N>
struct Text {
  char characters[N]{};
  consteval Text(const char (&text)[N]) { std::copy_n(text, N, characters); }  // NOLINT
};

template <Text kName, Text kDoc, auto kMember, auto kMake>
constexpr ChannelRow row() {
  return {kName.characters,
          [] { return config::Field(config::field(kName.characters, kMember, kDoc.characters)); },
          [](const ChannelOptions& options) -> const CommonOptions& { return options.*kMember; },
          [](const ChannelOptions& options) {
            auto enabled = options.*kMember;
            enabled.enabled = true;
            return enabled.check();
          },
          [](const ChannelOptions& options, const Services& services) {
            return kMake(options.*kMember, services);
          }};
}

constexpr std::array kChannels = {
    row<"email", "Alerts by mail.", &ChannelOptions::email, &make_email>(),
    row<"slack", "Alerts to Slack.", &ChannelOptions::slack, &make_slack>(),
    row<"pagerduty", "Alerts to PagerDuty.", &ChannelOptions::pagerduty, &make_pagerduty>(),
    row<"webhook", "Alerts to any HTTP receiver.", &ChannelOptions::webhook, &make_webhook>(),
    row<"alertmanager", "Alerts into Prometheus's Alertmanager.", &ChannelOptions::alertmanager,
        &make_alertmanager>(),
    row<"teams", "Alerts to Microsoft Teams.", &ChannelOptions::teams, &make_teams>(),
    row<"discord", "Alerts to Discord.", &ChannelOptions::discord, &make_discord>(),
    row<"telegram", "Alerts to Telegram.", &ChannelOptions::telegram, &make_telegram>(),
    row<"opsgenie", "Alerts to Opsgenie.", &ChannelOptions::opsgenie, &make_opsgenie>(),
    row<"mattermost", "Alerts to Mattermost or Rocket.Chat.", &ChannelOptions::mattermost,
        &make_mattermost>(),
    row<"ntfy", "Alerts to telephones, by ntfy.", &ChannelOptions::ntfy, &make_ntfy>(),
    row<"exec", "Alerts to a program.", &ChannelOptions::exec, &make_exec>(),
};

}  // namespace

std::span<const ChannelRow> registry() {
  return kChannels;
}

}  // namespace etcdmon::notify
