// notify/slack/slack.hpp: alerts to Slack, as Block Kit.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "notify/channel.hpp"
#include "notify/common_options.hpp"

namespace etcdmon::notify {

struct SlackOptions : CommonOptions {
  Secret webhook_url;
  Secret bot_token;
  std::string channel;
  std::string api_url = "https://slack.com/api";

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

/// With a webhook each message is a new one. With a bot token the message of a group is edited when
/// its state changes, as long as this process remembers it; after a restart a new one is written.
std::unique_ptr<Channel> make_slack(const SlackOptions& options, const Services& services);

/// The message: blocks in an attachment that carries the colour, within Slack's limits (header 150,
/// section 3 000, 50 blocks, and about 13 000 characters in all).
std::string slack_body(const SlackOptions& options, const model::Notification& notification,
                       std::string_view external_url);

/// The web API says 200 also for what it refuses.
Outcome judge_slack_api(const net::HttpReply& reply, WallTime now);

}  // namespace etcdmon::notify
