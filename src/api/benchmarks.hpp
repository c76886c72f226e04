// api/benchmarks.hpp: benchmarks over HTTP: start one, follow it, cancel it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/router.hpp"
#include "api/view_source.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace etcdmon::api {

/// What `bench` is to be run with.
struct BenchmarkOrder {
  std::string cluster;
  std::string workload;                                    ///< empty: the configured one
  std::vector<std::pair<std::string, std::string>> flags;  ///< without dashes; all are valid
};

struct BenchmarkRun {
  enum class State : std::uint8_t { kRunning, kFinished, kAborted, kFailed, kCancelled };

  std::string id;
  BenchmarkOrder order;
  State state = State::kRunning;
  WallTime started;
  std::optional<WallTime> ended;
  std::optional<int> exit_code;
  std::string progress;  ///< the last one, as JSON; empty: none yet
  std::string result;    ///< as JSON; empty: none
  std::string error;     ///< what it said; empty: nothing
};
std::string_view name_of(BenchmarkRun::State state);  ///< "running"

/// Who runs them; the app implements it.
///
/// Threads: the loop only.
class BenchmarkRunner {
 public:
  virtual ~BenchmarkRunner() = default;

  /// Returns the run's id. Errors: kAlreadyExists while one is running; what kept it from starting.
  virtual Result<std::string> start(BenchmarkOrder order) = 0;
  /// The last few, newest last.
  virtual std::vector<const BenchmarkRun*> runs() const = 0;
  /// Asks a running one to clean up and end; others stay as they are.
  virtual void cancel(std::string_view id) = 0;
};

/// POST /api/v1/performance/benchmark starts a run: 202 with its Location. GET lists them, GET and
/// DELETE of one show and cancel it. While authentication is off, what changes anything is answered
/// from loopback only; never to other sites' pages in a browser.
///
/// Lifetime: outlives the router that it was added to; so do `runner` and `source`.
class Benchmarks {
 public:
  static constexpr std::string_view kPath = "/api/v1/performance/benchmark";

  Benchmarks(BenchmarkRunner& runner, ViewSource& source) : runner_(runner), source_(source) {}

  void add_to(Router& router);

 private:
  net::Response start(const net::Request& request, const Caller& caller);
  net::Response list(const Caller& caller) const;
  net::Response show(const net::Request& request, const Caller& caller, std::string_view id) const;
  net::Response cancel(const net::Request& request, const Caller& caller, std::string_view id);
  /// One that the caller may see.
  const BenchmarkRun* find(std::string_view id, const Caller& caller) const;
  std::optional<net::Response> take_cluster(const net::Request& request, const Caller& caller,
                                            std::string& name) const;

  BenchmarkRunner& runner_;
  ViewSource& source_;
};

}  // namespace etcdmon::api
