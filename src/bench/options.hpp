// bench/options.hpp: what a run can be told, as flags of the command line and keys of the API.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "bench/spec.hpp"
#include "config/flags.hpp"
#include "config/loader.hpp"
#include "config/schema.hpp"

namespace etcdmon::bench {

struct LoadOptions {
  std::uint32_t clients = 10;
  std::uint32_t connections = 0;  ///< 0: as many as the clients need
  std::uint32_t threads = 1;
  double rate = 0;  ///< 0: closed loop
  Load::Arrivals arrivals = Load::Arrivals::kEven;
  double ramp_to = 0;
  Milliseconds patience{10'000};

  static const config::Schema& schema();
};

struct LengthOptions {
  std::optional<std::uint64_t> ops;  ///< unset: the caller's default, unless there is a duration
  Milliseconds duration{0};
  Milliseconds warm_up{0};
  Milliseconds timeout{10'000};

  static const config::Schema& schema();
};

struct SearchOptions {
  bool enabled = false;
  Search search;

  static const config::Schema& schema();
};

struct DataOptions {
  std::uint64_t key_space = 10'000;
  std::uint32_t key_size = 32;
  std::optional<Keys::Order> key_order;
  double skew = 0.99;
  Sizes value_size;
  std::uint64_t seed = 1;
  std::string prefix = "/etcd-monitor/bench/";

  static const config::Schema& schema();
};

/// What keeps a run from doing harm.
struct SafetyOptions {
  bool force = false;
  bool test_cluster = false;
  double busy_above = 500;  ///< requests a second of the cluster's own traffic
  std::optional<Milliseconds> abort_p99;
  std::optional<bool> abort_on_leader_change;  ///< unset: unless it is a test cluster
  bool clean_up = true;
  bool clear_prefix = false;
  bool compact = false;

  static const config::Schema& schema();
};

struct Options {
  LoadOptions load;
  LengthOptions length;
  SearchOptions search;
  DataOptions data;
  Shape shape;
  Target target = Target::kAll;
  bool settle = true;
  RunSpec::Http2 http2 = RunSpec::Http2::kRaw;
  SafetyOptions safety;

  static const config::Schema& schema();
};

/// The run that the options describe, without endpoints and login. `default_ops` are measured where
/// neither a number nor a duration is given.
RunSpec spec_of(const Options& options, std::string workload, std::uint64_t default_ops);

/// The options' flags. No environment variables: a run is described where it is started.
std::vector<config::FlagSpec> option_flags();
/// Applies flags that are options; others are left alone. Returns what is wrong with them.
std::vector<config::Issue> apply_flags(Options& options, std::span<const config::FlagValue> flags);
/// Every option by its flag's name, with the value in force.
std::vector<std::pair<std::string, std::string>> settings_of(const Options& options);

/// A load that etcd's own `check perf` makes, and what it takes to pass it.
struct Preset {
  std::string_view name;  ///< "s"
  double rate = 0;
  std::uint32_t clients = 0;
};
std::span<const Preset> presets();
/// nullptr: there is none of that name.
const Preset* find_preset(std::string_view name);
/// Sets the preset's load; flags applied afterwards win.
void apply_preset(Options& options, const Preset& preset);

}  // namespace etcdmon::bench
