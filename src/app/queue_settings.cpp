#include "app/queue_settings.hpp"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

template <>
struct etcdmon::config::EnumNames<etcdmon::app::QueueType> {
  using Type = etcdmon::app::QueueType;
  static constexpr std::array kNames{std::pair<std::string_view, Type>{"sqlite", Type::kSqlite},
                                     std::pair<std::string_view, Type>{"redis", Type::kRedis}};
};

namespace etcdmon::app {

using config::Complaint;
using config::Fault;
using config::field;
using config::Schema;
using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t kRedisPort = 6379;
constexpr std::uint32_t kMostDatabases = 1'024;

Error wrong(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), Cause::kLocal};
}

Fault url_fault(const std::string& url) {
  const auto address = parse_redis_url(url);
  return address ? std::nullopt : Fault(address.error().message);
}

// Braces and colons have a meaning in our keys.
Fault word_fault(const std::string& word) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (word.size() <= 63 && word.find_first_not_of(kAllowed) == std::string::npos)
    return std::nullopt;
  return "write at most 63 letters, digits, dots, dashes and underscores";
}

Fault prefix_fault(const std::string& prefix) {
  return prefix.empty() ? Fault("must not be empty") : word_fault(prefix);
}

}  // namespace

Result<RedisAddress> parse_redis_url(std::string_view url) {
  if (url.find('@') != std::string_view::npos)
    return wrong("user and password do not belong into a URL: write `username` and `password`");
  RedisAddress address;
  auto rest = url;
  for (const auto& [scheme, tls] : {std::pair<std::string_view, bool>{"redis://", false},
                                    std::pair<std::string_view, bool>{"rediss://", true}}) {
    if (!rest.starts_with(scheme)) continue;
    rest.remove_prefix(scheme.size());
    address.endpoint.tls = tls;
    break;
  }
  if (rest.find("://") != std::string_view::npos)
    return wrong(fmt::format("\"{}\" must begin with redis:// or rediss://", url));
  const auto slash = rest.find('/');
  if (slash != std::string_view::npos) {
    const auto number = rest.substr(slash + 1);
    const auto* const end = number.data() + number.size();
    const auto parsed = std::from_chars(number.data(), end, address.database);
    const bool fine = parsed.ec == std::errc{} && parsed.ptr == end;
    if (!number.empty() && (!fine || address.database >= kMostDatabases))
      return wrong(fmt::format("\"{}\" is no database; write redis://host:6379/0", number));
    rest = rest.substr(0, slash);
  }
  auto endpoint = net::parse_endpoint(rest, kRedisPort);
  if (!endpoint) return std::move(endpoint).error();
  const bool tls = address.endpoint.tls;
  address.endpoint = *std::move(endpoint);
  address.endpoint.tls = tls;
  return address;
}

const Schema& RedisSettings::schema() {
  using T = RedisSettings;
  static const auto kSchema = Schema::of<T>(
      "Queue",
      {field("url", &T::url,
             "Where it is: redis://host:6379/0, or rediss://host:6379/0 for TLS. The number is the "
             "database.")
           .rule(url_fault),
       field("username", &T::username, "User of its ACL. Empty: the default user."),
       field("password", &T::password, "Password of that user. Empty: no login."),
       field("prefix", &T::prefix,
             "Begins every key, in braces. Monitors with the same one share their notifications.")
           .rule(prefix_fault),
       field("monitor", &T::monitor,
             "This monitor's name among them. Empty: one that is made once and kept in state.db.")
           .rule(word_fault),
       field("deliver_after", &T::deliver_after,
             "When Redis is away for longer, notifications are delivered from state.db.")
           .min(1s)
           .max(24h),
       field("tls", &T::tls, "How a rediss:// server is verified.")});
  return kSchema;
}

std::vector<Complaint> RedisSettings::check() const {
  std::vector<Complaint> complaints;
  if (!username.empty() && password.empty()) complaints.push_back({"username", "needs `password`"});
  if (tls.cert_file.empty() != tls.key_file.empty())
    complaints.push_back({tls.cert_file.empty() ? "tls.key_file" : "tls.cert_file",
                          "certificate and key come together"});
  return complaints;
}

const Schema& QueueSettings::schema() {
  using T = QueueSettings;
  static const auto kSchema = Schema::of<T>(
      "Queue",
      {field(
           "type", &T::type,
           "Where notifications wait to be sent: in state.db, or in a Redis that several monitors "
           "share."),
       field("redis", &T::redis, "That Redis.")});
  return kSchema;
}

}  // namespace etcdmon::app
