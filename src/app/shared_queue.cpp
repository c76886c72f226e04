#include "app/shared_queue.hpp"

#include <chrono>
#include <utility>

namespace etcdmon::app {

namespace {

using namespace std::chrono_literals;

// A monitor that died keeps an end from being told for so long.
constexpr std::chrono::milliseconds kHoldsFor = 3min;
constexpr std::chrono::milliseconds kHoldEvery = 1min;

}  // namespace

Result<std::unique_ptr<SharedQueue>> SharedQueue::make(const RedisSettings& settings,
                                                       std::string monitor,
                                                       const Surroundings& around) {
  ETCDMON_TRY(auto address, parse_redis_url(settings.url));
  store::RedisOutboxOptions options{.endpoint = std::move(address.endpoint),
                                    .user = settings.username,
                                    .password = settings.password,
                                    .database = address.database,
                                    .prefix = settings.prefix,
                                    .holder = std::move(monitor),
                                    .holds_for = kHoldsFor};
  if (options.endpoint.tls) {
    auto tls = net::TlsContext::client(settings.tls.to_tls());
    if (!tls) return with_context(std::move(tls).error(), "queue.redis.tls");
    options.tls = *std::move(tls);
  }
  return std::unique_ptr<SharedQueue>(
      new SharedQueue(std::move(options), {.deliver_after = settings.deliver_after}, around));
}

SharedQueue::SharedQueue(store::RedisOutboxOptions options, store::RelayOutbox::Options relay,
                         const Surroundings& around)
    : resolver_(around.executor),
      redis_(resolver_, std::move(options)),
      relay_(around.spool, redis_, clock_, relay, around.logger) {}

void SharedQueue::add_to(metrics::Registry& registry) {
  registry.gauge("etcdmon_queue_redis_up",
                 "1 while the shared queue answers, 0 while notifications wait in state.db.", {},
                 [this] { return relay_.shared_is_away() ? 0.0 : 1.0; });
}

Task<> SharedQueue::hold(std::function<std::vector<std::string>()> told) {
  while (true) {
    // That it is away is told by those who send.
    static_cast<void>(co_await redis_.hold(told()));
    co_await async::sleep_for(kHoldEvery);
  }
}

}  // namespace etcdmon::app
