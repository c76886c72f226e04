// notify/alertmanager/alertmanager.hpp: alerts into a Prometheus Alertmanager, by its API v2.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "notify/channel.hpp"
#include "notify/common_options.hpp"

namespace etcdmon::notify {

struct AlertmanagerOptions : CommonOptions {
  std::vector<std::string> urls;
  std::string username;
  Secret password;
  std::chrono::milliseconds resend_every{60'000};

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

/// Alertmanager forgets: a firing alert ends by itself unless it is sent again, and a restarted one
/// knows nothing. So all that fires is sent every `resend_every`, and what was resolved for another
/// five minutes. Sent to every instance; delivered once one of them took it.
std::unique_ptr<Channel> make_alertmanager(const AlertmanagerOptions& options,
                                           const Services& services);

/// The body of POST /api/v2/alerts. A firing alert ends at `fires_until` unless it is sent again.
std::string alertmanager_push_body(const std::vector<model::NotifiedAlert>& alerts,
                                   std::string_view external_url, WallTime fires_until);

}  // namespace etcdmon::notify
