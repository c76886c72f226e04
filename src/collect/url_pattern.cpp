#include "collect/url_pattern.hpp"

#include <array>
#include <utility>

namespace etcdmon::collect {

std::string fill_url_pattern(std::string_view pattern, const net::Endpoint& member,
                             std::string_view name, MemberId id, std::string_view default_path) {
  const bool ipv6 = member.host.find(':') != std::string::npos;
  const std::array holes = {
      std::pair{std::string_view("{host}"), ipv6 ? "[" + member.host + "]" : member.host},
      std::pair{std::string_view("{port}"), std::to_string(member.port)},
      std::pair{std::string_view("{name}"), std::string(name)},
      std::pair{std::string_view("{id}"), to_hex(id)},
  };
  std::string url = pattern.find("://") == std::string_view::npos ? "http://" + std::string(pattern)
                                                                  : std::string(pattern);
  for (const auto& [hole, value] : holes) {
    for (auto at = url.find(hole); at != std::string::npos;
         at = url.find(hole, at + value.size())) {
      url.replace(at, hole.size(), value);
    }
  }
  if (url.find('/', url.find("://") + 3) == std::string::npos) url += default_path;
  return url;
}

}  // namespace etcdmon::collect
