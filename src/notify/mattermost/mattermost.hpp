// notify/mattermost/mattermost.hpp: alerts to Mattermost or Rocket.Chat, by an incoming webhook.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "notify/channel.hpp"
#include "notify/common_options.hpp"

namespace etcdmon::notify {

struct MattermostOptions : CommonOptions {
  Secret webhook_url;
  std::string channel;
  std::string username;

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

std::unique_ptr<Channel> make_mattermost(const MattermostOptions& options,
                                         const Services& services);

/// Attachments, which both programs know; at most 16 000 characters in all.
std::string mattermost_body(const MattermostOptions& options,
                            const model::Notification& notification, std::string_view external_url);

}  // namespace etcdmon::notify
