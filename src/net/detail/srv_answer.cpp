#include "net/detail/srv_answer.hpp"

#include <algorithm>
#include <arpa/nameser.h>
#include <resolv.h>
#include <string>
#include <tuple>

#include <fmt/format.h>

namespace etcdmon::net::detail {

namespace {

constexpr std::size_t kFixedPart = 6;  // priority, weight, port

Error bad_answer(std::string_view name) {
  return Error{ErrorCode::kUnavailable,
               fmt::format("resolve SRV {}: the answer is no valid DNS message", name),
               Cause::kDns};
}

bool read_target(const ns_msg& message, const ns_rr& record, SrvTarget& target) {
  if (ns_rr_rdlen(record) <= kFixedPart) return false;
  const std::uint8_t* data = ns_rr_rdata(record);
  target.priority = static_cast<std::uint16_t>(ns_get16(data));
  target.weight = static_cast<std::uint16_t>(ns_get16(data + 2));
  target.port = static_cast<std::uint16_t>(ns_get16(data + 4));
  char host[NS_MAXDNAME];
  if (dn_expand(ns_msg_base(message), ns_msg_end(message), data + kFixedPart, host, sizeof(host)) <
      0) {
    return false;
  }
  target.host = host;
  return true;
}

}  // namespace

Result<std::vector<SrvTarget>> parse_srv_answer(std::string_view name,
                                                std::span<const std::uint8_t> answer) {
  ns_msg message;
  if (ns_initparse(answer.data(), static_cast<int>(answer.size()), &message) < 0) {
    return bad_answer(name);
  }
  std::vector<SrvTarget> targets;
  for (int index = 0; index < ns_msg_count(message, ns_s_an); ++index) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_an, index, &record) < 0) return bad_answer(name);
    if (ns_rr_type(record) != ns_t_srv) continue;
    SrvTarget target;
    if (!read_target(message, record, target)) return bad_answer(name);
    // RFC 2782: a target of "." says that the service is decidedly not there.
    if (target.host.empty() || target.host == "." || target.port == 0) continue;
    targets.push_back(std::move(target));
  }
  if (targets.empty()) {
    return Error{ErrorCode::kNotFound, fmt::format("resolve SRV {}: no record", name)};
  }
  std::ranges::sort(targets, [](const SrvTarget& a, const SrvTarget& b) {
    return std::tie(a.priority, b.weight, a.host, a.port) <
           std::tie(b.priority, a.weight, b.host, b.port);
  });
  return targets;
}

}  // namespace etcdmon::net::detail
