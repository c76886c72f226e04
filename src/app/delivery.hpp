// app/delivery.hpp: from the steps of the alert engines to state.db, and on to people.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "alert/engine.hpp"
#include "alert/routing/router.hpp"
#include "api/alerting.hpp"
#include "api/dead_letters.hpp"
#include "app/settings.hpp"
#include "app/shared_queue.hpp"
#include "async/event.hpp"
#include "async/task_scope.hpp"
#include "base/metrics.hpp"
#include "net/http_client.hpp"
#include "notify/worker.hpp"
#include "store/state_store.hpp"

namespace etcdmon::app {

/// Routes what the engines find, and commits each step's alerts and notifications together, in
/// order; it keeps trying while the disk does not take them. What was committed is delivered by the
/// workers, also after a restart.
///
/// Threads:  the loop only.
/// Lifetime: stop() must have completed before destruction.
class Delivery final : public api::AlertDesk, public api::DeadLetterDesk {
 public:
  /// Blocks until state.db is open. Errors: those of StateStore::open() and routing_options().
  static Result<std::unique_ptr<Delivery>> open(Executor executor, const Settings& settings,
                                                const Logger& logger);
  ~Delivery() override;
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  /// What the engine of this cluster goes on with after a restart. Blocks; before start().
  Result<alert::EngineState> remembered(const std::string& cluster, Now now);
  /// Blocks while it reads what was told to whom. Errors: kDataLoss.
  Result<void> start(metrics::Registry& registry);

  /// One step of a cluster's engine: what it brought about, and the state it left.
  void step(const std::string& cluster, const std::vector<model::AlertEvent>& events,
            const alert::EngineState& state);

  /// Saves what is not saved yet, gives attempts under way a moment, closes the store.
  Task<> stop(Deadline deadline);

  // What operators say is saved with what follows from it.
  std::vector<alert::Silence> silences() const override { return router_.silences(); }
  Result<alert::Silence> add_silence(alert::Silence silence) override;
  Result<alert::Silence> expire_silence(std::string_view id) override;
  Result<void> acknowledge(alert::Acknowledgement acknowledgement) override;
  std::vector<alert::Acknowledgement> acknowledgements() const override;
  std::string cluster_of(std::string_view alert_id) const override;
  Task<Result<std::vector<model::AlertEvent>>> history(store::HistoryQuery query) override;
  std::vector<notify::ChannelHealth> channels() const override { return worker_->health(); }
  Task<Result<api::ChannelTrial>> try_channel(std::string channel) override;
  Task<Result<std::vector<store::DeadLetter>>> dead_letters(std::size_t limit) override;
  Task<Result<void>> retry_dead_letter(std::string id) override;
  Task<Result<void>> drop_dead_letter(std::string id) override;

  /// Where it is configured; after start(). `look` says how the clusters are watched.
  void start_heartbeat(std::function<std::vector<notify::Pulse>()> look,
                       metrics::Registry& registry);

  store::StateStore& store() { return *store_; }

 private:
  /// A channel that is enabled.
  struct Receiver {
    std::string channel;
    model::Severity min_severity = model::Severity::kInfo;
    bool send_resolved = true;

    bool wants(const model::Notification& notification) const;
  };
  static std::vector<Receiver> receivers_of(const AlertSettings& alerts);

  /// What it is made of.
  struct Opened {
    alert::RoutingOptions routing;
    std::unique_ptr<store::StateStore> store;
    std::unique_ptr<SharedQueue> shared;  ///< null: state.db is all
    store::Change change;                 ///< to be saved
  };
  static Result<Opened> open_all(Executor executor, const Settings& settings, const Logger& logger);

  Delivery(Executor executor, const Settings& settings, Opened opened, const Logger& logger);

  store::Outbox& outbox() { return shared_ ? shared_->outbox() : store_->outbox(); }
  Task<> count(metrics::Registry& registry);
  Task<> count_often(metrics::Registry& registry);

  Result<void> restore(Now now);
  /// Adds what the router tells now.
  void route(store::Change& change, Now now);
  Task<> route_when_due();

  Task<> commit_all();
  Task<> prune();
  void add(store::Change change);
  std::vector<model::NotifiedAlert> firing() const;
  void tell_others(const notify::ChannelHealth& health);

  notify::Services services() { return {http_, mail_, executor_, clock_, alerts_.external_url}; }

  Executor executor_;
  Logger logger_;
  SystemClock clock_;
  AlertSettings alerts_;
  std::string first_cluster_;
  bool trying_ = false;  ///< a channel is tried out
  std::vector<Receiver> receivers_;
  std::chrono::hours retention_;
  std::unique_ptr<store::StateStore> store_;
  std::unique_ptr<SharedQueue> shared_;
  notify::HeartbeatHealth heartbeat_;
  net::Outbound outbound_;
  net::HttpClient http_;
  net::Mailer mail_;
  std::unique_ptr<notify::Worker> worker_;
  std::vector<notify::Worker::Lane> lanes_;

  std::map<std::string, std::set<std::string>> saved_;  ///< by cluster: ids in the store
  alert::Router router_;
  async::Event routed_;
  std::map<std::string, model::Alert> firing_;  ///< by id, of all clusters
  std::deque<store::Change> unsaved_;
  async::Event added_;
  async::Event all_saved_;
  async::TaskScope scope_;
};

/// Where state.db lies: `storage.directory`, else what systemd gave us, else ./data where a channel
/// is enabled; ":memory:" where nothing needs to survive. Errors: the directory cannot be made.
Result<std::string> state_path(const Settings& settings);

}  // namespace etcdmon::app
