// notify/pagerduty/pagerduty.hpp: alerts to PagerDuty, by its Events API v2.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "notify/channel.hpp"
#include "notify/common_options.hpp"

namespace etcdmon::notify {

struct PagerDutyOptions : CommonOptions {
  Secret routing_key;
  std::string url = "https://events.pagerduty.com/v2/enqueue";

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

/// One event an alert, under the alert's id, so that two monitors or a repeated attempt change one
/// incident and never open a second.
std::unique_ptr<Channel> make_pagerduty(const PagerDutyOptions& options, const Services& services);

/// The bodies, one an alert; for a test a trigger and the resolve that takes it back.
std::vector<std::string> pagerduty_bodies(const PagerDutyOptions& options,
                                          const model::Notification& notification,
                                          std::string_view external_url);

}  // namespace etcdmon::notify
