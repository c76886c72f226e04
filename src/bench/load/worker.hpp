// bench/load/worker.hpp: one thread's connections and clients, and the loop that drives them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task_scope.hpp"
#include "base/units.hpp"
#include "bench/load/lane.hpp"
#include "bench/load/pacer.hpp"
#include "bench/load/poller.hpp"
#include "bench/load/ring.hpp"
#include "bench/load/tally.hpp"
#include "bench/load/tokens.hpp"
#include "net/resolver.hpp"

namespace etcdmon::bench {

/// What a worker has of a run's clients, connections and listeners: `count` from `first` on.
struct Portion {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};
Portion portion_of(std::uint32_t all, Share share);

struct WorkerOptions {
  const RunSpec* spec = nullptr;
  std::vector<net::Endpoint> endpoints;  ///< connections go round them
  Share share;
  std::uint32_t listeners = 0;  ///< of the whole run
  Tokens* tokens = nullptr;     ///< nullptr: no login
  const std::atomic<bool>* stop = nullptr;
};

/// One stretch of load on connections that stand. The fields are this worker's part.
struct Pass {
  Workload* workload = nullptr;
  Totals* totals = nullptr;
  std::uint64_t ops = 0;  ///< measured; 0: no limit
  Duration warm_up{0};
  Duration duration{0};  ///< after the warm-up; 0: no limit
  std::optional<PacerOptions> pace;
  Duration patience{0};
  bool listen = false;  ///< listeners take part
};

struct PassFacts {
  Duration measured{0};  ///< until the last answer
  double busy = 0;
  double cpu_seconds = 0;
};

/// Threads:  one at a time; begun() … may be asked from any.
/// Lifetime: close() before destruction.
class Worker final : private CallEvents, private Heard {
 public:
  static Result<std::unique_ptr<Worker>> make(WorkerOptions options);
  ~Worker() override;

  /// Dials all connections. Fails when none stands in time, with the first reason.
  Result<void> connect();
  /// Blocks until the pass is over: its operations or its time, the stop flag, halt(), or nobody to
  /// talk to.
  PassFacts run(const Pass& pass);
  void close();

  /// Ends the running pass, from any thread.
  void halt() { halted_.store(true, std::memory_order_relaxed); }
  /// Operations of the running pass that ended, of the warm-up too. Any thread.
  std::uint64_t ended() const { return ended_.load(std::memory_order_relaxed); }
  std::uint64_t raft_term() const { return term_.load(std::memory_order_relaxed); }
  bool no_space() const { return no_space_.load(std::memory_order_relaxed); }
  bool deserted() const { return deserted_.load(std::memory_order_relaxed); }

  // After run() or connect().
  struct Facts {
    std::int64_t revision = 0;
    std::uint64_t reconnects = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    TransportCounts transport;
    std::vector<LeaderChange> leader_changes;
    std::vector<std::string> troubles;  ///< connections that ended or never stood, once each kind
  };
  Facts facts() const;

 private:
  explicit Worker(WorkerOptions options);

  // CallEvents and Heard.
  void on_message(Call& call, std::span<const std::byte> message) override;
  void on_end(Call& call, const Error* error) override;
  bool record(std::uint8_t operation, SteadyTime since, SteadyTime now) override;

  // The loop.
  void turn(SteadyTime until);
  void tick();
  bool over();
  bool stopping() const;
  void enlist();
  void await_listeners();
  void dismiss();
  void publish(bool last);
  void give_second(Duration length);
  SteadyTime next_start() const;

  // Operations.
  void start_due();
  void drop_overdue();
  bool may_start() const;
  void begin(Client& client, SteadyTime due);
  void send(Client& client, const Request& request);
  void apply(Client& client, const Meaning& meaning);
  void succeed(Client& client);
  void fail(Client& client, ErrorCode code, std::string_view why);
  void complete(Client& client);
  void release(Client& client);
  void note_header(const ReplyHeader& header);
  void check_timeouts();
  void listen(Lane& lane);
  Duration since_measuring() const { return now_ - measure_from_; }

  // Connections.
  void dial(std::uint32_t index);
  Task<> dialled(std::uint32_t index);
  void opened(std::uint32_t index, std::unique_ptr<net::Stream> stream);
  void on_events(std::uint32_t index, std::uint32_t events);
  bool read(Lane& lane, bool to_the_end);
  void flush(Lane& lane);
  void flush_dirty();
  void came_up(Lane& lane);
  void lost(Lane& lane, const Error& why);
  void look_after(std::uint32_t index);
  void mark_dirty(Client& client);
  std::size_t lane_streams(const Lane& lane) const;
  void note_trouble(const Lane& lane, const Error& why);

  WorkerOptions options_;
  const RunSpec& spec_;
  std::shared_ptr<net::TlsContext> tls_;
  Loop loop_{1};
  net::Resolver resolver_;
  std::optional<async::TaskScope> dials_;
  std::uint32_t dialing_ = 0;
  Poller poller_;
  std::vector<Lane> lanes_;
  std::vector<Client> clients_;
  std::uint32_t askers_ = 0;  // the first clients; those behind them listen
  Ring free_;
  std::vector<std::uint32_t> dirty_;
  std::unique_ptr<std::byte[]> buffer_;
  Body body_;
  SteadyTime now_;
  SteadyTime next_tick_;
  Random jitter_;
  std::uint32_t up_ = 0;
  SteadyTime alone_since_;
  std::optional<Error> first_trouble_;

  // Of the running pass.
  Pass pass_;
  Tally tally_{0};
  std::optional<Pacer> pacer_;
  SteadyTime began_;
  SteadyTime measure_from_;
  SteadyTime ends_;
  SteadyTime last_end_;
  std::uint64_t started_ = 0;  // measured ones
  std::uint32_t in_flight_ = 0;
  bool running_ = false;
  bool had_free_ = false;
  SteadyTime stopping_since_;
  std::int64_t second_ = 0;
  Duration waited_{0};

  Facts facts_;
  std::atomic<bool> halted_{false};
  std::atomic<std::uint64_t> ended_{0};
  std::atomic<std::uint64_t> term_{0};
  std::atomic<bool> no_space_{false};
  std::atomic<bool> deserted_{false};
};

}  // namespace etcdmon::bench
