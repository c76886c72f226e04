// app/shared_queue.hpp: the Redis that several monitors share, behind the spool of state.db.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/queue_settings.hpp"
#include "async/task.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "store/redis_outbox.hpp"
#include "store/relay_outbox.hpp"

namespace etcdmon::app {

/// Threads:  the loop only.
/// Lifetime: `spool` outlives it; it outlives the workers.
class SharedQueue {
 public:
  /// What it is made with.
  struct Surroundings {
    Executor executor;
    store::Outbox& spool;
    Logger logger;
  };

  /// `monitor` is this one's name among those that share the queue. Redis need not be there.
  /// Errors: kInvalidArgument: certificates that cannot be used.
  static Result<std::unique_ptr<SharedQueue>> make(const RedisSettings& settings,
                                                   std::string monitor, const Surroundings& around);

  store::Outbox& outbox() { return relay_; }
  void add_to(metrics::Registry& registry);
  /// Says every minute that we still see what people were told of; `told` gives the keys.
  Task<> hold(std::function<std::vector<std::string>()> told);

 private:
  SharedQueue(store::RedisOutboxOptions options, store::RelayOutbox::Options relay,
              const Surroundings& around);

  SystemClock clock_;
  net::Resolver resolver_;
  store::RedisOutbox redis_;
  store::RelayOutbox relay_;
};

}  // namespace etcdmon::app
