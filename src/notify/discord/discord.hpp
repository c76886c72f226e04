// notify/discord/discord.hpp: alerts to a Discord channel, by its webhook.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "notify/channel.hpp"
#include "notify/common_options.hpp"

namespace etcdmon::notify {

struct DiscordOptions : CommonOptions {
  Secret webhook_url;

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

std::unique_ptr<Channel> make_discord(const DiscordOptions& options, const Services& services);

/// Up to ten embeds, and 6 000 characters over all of them, as Discord counts.
std::string discord_body(const model::Notification& notification, std::string_view external_url);

}  // namespace etcdmon::notify
