// notify/telegram/telegram.hpp: alerts to a Telegram chat, by a bot.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "notify/channel.hpp"
#include "notify/common_options.hpp"

namespace etcdmon::notify {

struct TelegramOptions : CommonOptions {
  Secret bot_token;
  std::string chat_id;
  std::string api_url = "https://api.telegram.org";

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

std::unique_ptr<Channel> make_telegram(const TelegramOptions& options, const Services& services);

/// Plain text of at most 4 096 characters.
std::string telegram_body(const TelegramOptions& options, const model::Notification& notification,
                          std::string_view external_url);

/// Telegram says how long to wait in its answer's body.
Outcome judge_telegram(const net::HttpReply& reply, WallTime now);

}  // namespace etcdmon::notify
