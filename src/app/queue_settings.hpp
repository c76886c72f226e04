// app/queue_settings.hpp: where notifications wait: state.db alone, or a Redis that monitors share.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "config/schema.hpp"
#include "net/endpoint.hpp"
#include "notify/webhook/webhook.hpp"

namespace etcdmon::app {

struct RedisSettings {
  std::string url = "redis://127.0.0.1:6379";
  std::string username;
  Secret password;
  std::string prefix = "etcdmon";
  std::string monitor;  ///< empty: a name that state.db keeps
  std::chrono::milliseconds deliver_after{30'000};
  notify::WebhookTlsOptions tls;

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

enum class QueueType : std::uint8_t { kSqlite, kRedis };

struct QueueSettings {
  QueueType type = QueueType::kSqlite;
  RedisSettings redis;

  static const config::Schema& schema();
};

struct RedisAddress {
  net::Endpoint endpoint;
  std::uint32_t database = 0;

  bool operator==(const RedisAddress&) const = default;
};
/// "redis://host:6379/0", "rediss://host" for TLS, or "host:6379".
/// Errors: kInvalidArgument, without the text where it may hold a login.
Result<RedisAddress> parse_redis_url(std::string_view url);

}  // namespace etcdmon::app
