// notify/teams/teams.hpp: alerts to Microsoft Teams, as an Adaptive Card to a workflow's webhook.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "notify/channel.hpp"
#include "notify/common_options.hpp"

namespace etcdmon::notify {

struct TeamsOptions : CommonOptions {
  Secret webhook_url;

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

std::unique_ptr<Channel> make_teams(const TeamsOptions& options, const Services& services);

/// At most 28 KB, which is what Teams takes.
std::string teams_body(const model::Notification& notification, std::string_view external_url);

}  // namespace etcdmon::notify
