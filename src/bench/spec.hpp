// bench/spec.hpp: everything a benchmark run is, as one plain value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "net/endpoint.hpp"
#include "net/tls.hpp"

namespace etcdmon::bench {

using Milliseconds = std::chrono::milliseconds;

/// Which of the members named by RunSpec::endpoints get the load.
enum class Target : std::uint8_t { kAll, kLeader, kFollowers };

/// How much is asked at once, and when.
struct Load {
  std::uint32_t clients = 1;  ///< operations under way at most
  std::uint32_t connections = 1;
  std::uint32_t threads = 1;
  /// Operations a second, each with the time it is due; 0 is a closed loop: every client sends its
  /// next operation when the last one is answered.
  double rate = 0;
  enum class Arrivals : std::uint8_t { kEven, kPoisson };
  Arrivals arrivals = Arrivals::kEven;
  /// The rate grows (or falls) evenly from `rate` to this over `duration`; 0: it stays.
  double ramp_to = 0;
  /// What is due but has no free client waits no longer than this; then it is dropped and counted.
  Milliseconds patience{10'000};
};

/// Looks for the highest rate that is served in time: steps of `step` each, first doubling, then
/// halving the gap. The run's `rate`, `ops` and `duration` have no meaning then.
struct Search {
  double from = 1'000;
  Milliseconds step{5'000};
  Milliseconds p99{100};    ///< a step holds when its P99 is below
  double precision = 0.05;  ///< ends when the gap is this share of the rate
  double max = 1'000'000;
};

/// A number of bytes, fixed or drawn for each operation.
struct Sizes {
  enum class Kind : std::uint8_t {
    kFixed,
    kUniform,    ///< evenly between min and max
    kLogNormal,  ///< median min, a tail that is cut at max: what Kubernetes objects look like
  };
  Kind kind = Kind::kFixed;
  std::uint32_t min = 256;
  std::uint32_t max = 256;
  bool operator==(const Sizes&) const = default;
};

struct Keys {
  enum class Order : std::uint8_t { kSequential, kUniform, kZipfian };
  /// Unset: the workload's own: sequential for write, uniform for what reads.
  std::optional<Order> order;
  std::uint64_t space = 10'000;  ///< distinct keys
  std::uint32_t size = 32;       ///< bytes, without the prefix; at least 8
  double skew = 0.99;            ///< zipfian: how steep
};

/// What only some workloads look at.
struct Shape {
  double reads = 0.7;         ///< mixed, txn-mixed: this share of operations reads
  bool serializable = false;  ///< reads answered by the member alone
  std::uint32_t limit = 100;  ///< range, kubernetes: keys of a page
  bool count_only = false;
  bool keys_only = false;
  std::uint32_t txn_ops = 1;  ///< txn: keys that one transaction compares and writes
  /// txn, lock: keys that all clients fight for; 0: each client has its own.
  std::uint32_t contended = 0;
  std::uint32_t watchers = 10;  ///< watch-latency, kubernetes: in all
  std::uint32_t events = 8;     ///< watch-get: events that a watcher reads back
  std::chrono::seconds lease_ttl{60};
  std::uint32_t steps = 20;  ///< scale: points at which latency and memory are taken
};

/// When a run must end itself. What was measured until then is the result.
struct AbortLines {
  std::optional<Milliseconds> p99;  ///< of the last whole second, three seconds in a row
  bool leader_change = false;
  bool no_space = true;
};

struct RunSpec {
  std::string workload = "mixed";  ///< a name of workloads()

  std::vector<net::Endpoint> endpoints;
  std::optional<net::TlsOptions> tls;  ///< needed where an endpoint speaks TLS
  std::string user;                    ///< empty: no login
  Secret password;
  Milliseconds dial_timeout{5'000};
  Target target = Target::kAll;

  Load load;
  std::optional<Search> search;
  Milliseconds warm_up{0};       ///< at the same load; not part of the result
  std::uint64_t ops = 10'000;    ///< measured; 0: no limit. scale: the keys that are filled in
  Milliseconds duration{0};      ///< 0: no limit. The first limit reached ends the run
  Milliseconds timeout{10'000};  ///< of one operation: then it failed with DeadlineExceeded

  Keys keys;
  Sizes values;
  Shape shape;
  std::string prefix = "/etcd-monitor/bench/";  ///< all keys begin with it
  std::uint64_t seed = 1;                       ///< the same seed asks the same questions

  AbortLines abort;
  bool clean_up = true;  ///< delete everything under `prefix` afterwards
  /// Wait until the server forgot a burst of writes before reads are measured (etcd 3.4: reads cost
  /// it twice as much until then).
  bool settle = true;

  enum class Http2 : std::uint8_t {
    kRaw,        ///< own framing: what a measurement should use
    kReference,  ///< rpc::Session, to compare with
  };
  Http2 http2 = Http2::kRaw;
};

/// A workload that can be run.
struct WorkloadEntry {
  std::string_view name;
  std::string_view about;  ///< one line for people
  bool writes = false;     ///< changes keys while it is measured
};
/// In the order they are shown.
const std::vector<WorkloadEntry>& workloads();

/// What cannot be run as it stands, all complaints at once; empty when it can. Each says what to
/// do.
std::vector<std::string> complaints(const RunSpec& spec);

/// "256", "128-4096" (uniform), "lognormal:1024-65536" (median and most); units as in parse_bytes.
Result<Sizes> parse_sizes(std::string_view text);
std::string to_string(const Sizes& sizes);

/// "all", "leader", "followers".
std::string_view name_of(Target target);
/// "sequential", "uniform", "zipfian".
std::string_view name_of(Keys::Order order);

}  // namespace etcdmon::bench
