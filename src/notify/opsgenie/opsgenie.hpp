// notify/opsgenie/opsgenie.hpp: alerts to Opsgenie, or a service that speaks its Alert API.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "notify/channel.hpp"
#include "notify/common_options.hpp"

namespace etcdmon::notify {

struct OpsgenieOptions : CommonOptions {
  Secret api_key;
  std::string api_url = "https://api.opsgenie.com";

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

/// One alert of theirs for each of ours, known by our alert's id as its alias.
std::unique_ptr<Channel> make_opsgenie(const OpsgenieOptions& options, const Services& services);

std::string opsgenie_body(const model::Notification& notification,
                          const model::NotifiedAlert& alert, std::string_view external_url);

}  // namespace etcdmon::notify
