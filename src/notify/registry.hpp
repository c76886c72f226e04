// notify/registry.hpp: every channel that there is, one row each.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "notify/alertmanager/alertmanager.hpp"
#include "notify/channel.hpp"
#include "notify/common_options.hpp"
#include "notify/discord/discord.hpp"
#include "notify/email/email.hpp"
#include "notify/exec/exec.hpp"
#include "notify/mattermost/mattermost.hpp"
#include "notify/ntfy/ntfy.hpp"
#include "notify/opsgenie/opsgenie.hpp"
#include "notify/pagerduty/pagerduty.hpp"
#include "notify/slack/slack.hpp"
#include "notify/teams/teams.hpp"
#include "notify/telegram/telegram.hpp"
#include "notify/webhook/webhook.hpp"

namespace etcdmon::notify {

/// The sections under `alerts:` that say who is told.
struct ChannelOptions {
  EmailOptions email;
  SlackOptions slack;
  PagerDutyOptions pagerduty;
  WebhookOptions webhook;
  AlertmanagerOptions alertmanager;
  TeamsOptions teams;
  DiscordOptions discord;
  TelegramOptions telegram;
  OpsgenieOptions opsgenie;
  MattermostOptions mattermost;
  NtfyOptions ntfy;
  ExecOptions exec;
};

/// One kind of channel.
struct ChannelRow {
  std::string_view name;       ///< also the key of its section
  config::Field (*section)();  ///< of ChannelOptions
  const CommonOptions& (*common)(const ChannelOptions&);
  /// What keeps it from being used, whether it is enabled or not.
  std::vector<config::Complaint> (*complaints)(const ChannelOptions&);
  std::unique_ptr<Channel> (*make)(const ChannelOptions&, const Services&);
};

std::span<const ChannelRow> registry();

}  // namespace etcdmon::notify
