#include "notify/common_options.hpp"

#include <fmt/format.h>

namespace etcdmon::notify {

void require(std::vector<config::Complaint>& complaints, bool set, std::string_view key) {
  if (!set) complaints.push_back({std::string(key), "is needed while the channel is enabled"});
}

config::Fault http_url_fault(const Secret& url) {
  const std::string& text = url.reveal();
  if (text.empty()) return std::nullopt;
  if (!text.starts_with("http://") && !text.starts_with("https://"))
    return "must begin with http:// or https://";
  if (text.find_first_of(" \t\r\n") != std::string::npos) return "must not contain blanks";
  return std::nullopt;
}

}  // namespace etcdmon::notify
