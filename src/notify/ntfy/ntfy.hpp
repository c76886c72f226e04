// notify/ntfy/ntfy.hpp: alerts as push messages to telephones, by ntfy.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "notify/channel.hpp"
#include "notify/common_options.hpp"

namespace etcdmon::notify {

struct NtfyOptions : CommonOptions {
  std::string url = "https://ntfy.sh";
  Secret topic;
  Secret token;

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

std::unique_ptr<Channel> make_ntfy(const NtfyOptions& options, const Services& services);

/// A message of at most 4 096 bytes.
std::string ntfy_body(const NtfyOptions& options, const model::Notification& notification,
                      std::string_view external_url);

}  // namespace etcdmon::notify
