#include "bench/options.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "base/units.hpp"

namespace etcdmon::config {

template <>
struct EnumNames<bench::Load::Arrivals> {
  using E = bench::Load::Arrivals;
  static constexpr std::array kNames{std::pair<std::string_view, E>{"even", E::kEven},
                                     std::pair<std::string_view, E>{"poisson", E::kPoisson}};
};

template <>
struct EnumNames<bench::Keys::Order> {
  using E = bench::Keys::Order;
  static constexpr std::array kNames{std::pair<std::string_view, E>{"sequential", E::kSequential},
                                     std::pair<std::string_view, E>{"uniform", E::kUniform},
                                     std::pair<std::string_view, E>{"zipfian", E::kZipfian}};
};

template <>
struct EnumNames<bench::Target> {
  using E = bench::Target;
  static constexpr std::array kNames{std::pair<std::string_view, E>{"all", E::kAll},
                                     std::pair<std::string_view, E>{"leader", E::kLeader},
                                     std::pair<std::string_view, E>{"followers", E::kFollowers}};
};

template <>
struct EnumNames<bench::RunSpec::Http2> {
  using E = bench::RunSpec::Http2;
  static constexpr std::array kNames{std::pair<std::string_view, E>{"raw", E::kRaw},
                                     std::pair<std::string_view, E>{"reference", E::kReference}};
};

template <>
struct Codec<bench::Sizes> {
  static TypeDoc type() {
    return {"size", "string", R"(^((lognormal:)?[0-9.]+ ?[KMGiB]*(-[0-9.]+ ?[KMGiB]*)?)$)", {}};
  }
  static Result<bench::Sizes> parse(const Node& node) {
    const auto text = detail::any_text(node);
    if (!text) return text.error();
    return bench::parse_sizes(*text);
  }
  static Node show(const bench::Sizes& sizes) { return Node::plain(bench::to_string(sizes)); }
};

template <>
struct SchemaOf<bench::Shape> {
  static const Schema& schema() {
    using T = bench::Shape;
    static const auto kSchema = Schema::of<T>(
        "Workload",
        {field("reads", &T::reads, "mixed, txn-mixed: the share of operations that read.")
             .min(0)
             .max(1)
             .flag_named("reads"),
         field("serializable", &T::serializable,
               "Reads are answered by the member alone, and may be stale.")
             .flag_named("serializable"),
         field("limit", &T::limit, "range, kubernetes: keys of a page.").flag_named("limit"),
         field("count_only", &T::count_only, "range: ask for the number of keys only.")
             .flag_named("count-only"),
         field("keys_only", &T::keys_only, "range: ask for keys without values.")
             .flag_named("keys-only"),
         field("txn_ops", &T::txn_ops, "txn: keys that a transaction compares and writes.")
             .min(1)
             .max(128)
             .flag_named("txn-ops"),
         field("contended", &T::contended,
               "txn, lock: keys that all clients fight for; 0: each client has its own.")
             .flag_named("contended"),
         field("watchers", &T::watchers, "watch-latency, kubernetes: watchers in all.")
             .min(1)
             .flag_named("watchers"),
         field("events", &T::events, "watch-get: events that a watcher reads back.")
             .min(1)
             .flag_named("events"),
         field("lease_ttl", &T::lease_ttl, "Life of the leases that are granted.")
             .min(std::chrono::seconds(1))
             .flag_named("lease-ttl"),
         field("steps", &T::steps, "scale: points at which latency and memory are taken.")
             .min(1)
             .max(1'000)
             .flag_named("steps")});
    return kSchema;
  }
};

template <>
struct SchemaOf<bench::Search> {
  static const Schema& schema() {
    using T = bench::Search;
    static const auto kSchema = Schema::of<T>(
        "Search",
        {field("from", &T::from, "The rate to begin with, in operations a second.")
             .min(1)
             .flag_named("search-from"),
         field("step", &T::step, "How long each rate is tried.")
             .min(std::chrono::seconds(1))
             .flag_named("search-step"),
         field("p99", &T::p99, "A rate holds while its P99 stays below.")
             .min(std::chrono::milliseconds(1))
             .flag_named("search-p99"),
         field("precision", &T::precision,
               "Ends when what holds and what does not are this share apart.")
             .min(0.01)
             .max(0.5)
             .flag_named("search-precision"),
         field("max", &T::max, "The highest rate to try.").min(1).flag_named("search-max")});
    return kSchema;
  }
};

}  // namespace etcdmon::config

namespace etcdmon::bench {

using config::field;
using config::Schema;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kClientsPerConnection = 16;
constexpr std::uint32_t kMostAutomaticConnections = 64;

// etcd's tool: 256 bytes of key, 1 KiB of value, one connection a client, for a minute.
constexpr std::array kPresets{Preset{"s", 150, 50}, Preset{"m", 1'000, 200},
                              Preset{"l", 8'000, 500}, Preset{"xl", 15'000, 1'000}};
constexpr std::uint32_t kPresetKey = 256;
constexpr std::uint32_t kPresetValue = 1'024;

// More streams on a connection are cheaper for both sides than more connections.
std::uint32_t connections_for(std::uint32_t clients) {
  return std::clamp((clients + kClientsPerConnection - 1) / kClientsPerConnection,
                    std::min(clients, 4U), kMostAutomaticConnections);
}

}  // namespace

const Schema& LoadOptions::schema() {
  using T = LoadOptions;
  static const auto kSchema = Schema::of<T>(
      "Load",
      {field("clients", &T::clients, "Operations under way at once, at most.")
           .min(1)
           .flag_named("clients"),
       field("connections", &T::connections,
             "Connections that the clients share; 0: one for every 16 clients, at least 4.")
           .flag_named("connections"),
       field("threads", &T::threads, "Threads that make the load.").min(1).flag_named("threads"),
       field("rate", &T::rate,
             "Operations a second, each due at its own time: an open loop, whose latency counts "
             "from when an operation was due. 0 is a closed loop: each client sends its next "
             "operation when the last one is answered.")
           .min(0)
           .flag_named("rate"),
       field("arrivals", &T::arrivals, "Open loop: evenly spaced, or at random as users come.")
           .flag_named("arrivals"),
       field("ramp_to", &T::ramp_to,
             "Open loop: the rate changes evenly to this one over the duration; 0: it stays.")
           .min(0)
           .flag_named("ramp-to"),
       field("patience", &T::patience,
             "Open loop: what is due and finds no free client for so long is dropped and counted.")
           .min(1ms)
           .flag_named("patience")});
  return kSchema;
}

const Schema& LengthOptions::schema() {
  using T = LengthOptions;
  static const auto kSchema = Schema::of<T>(
      "Length",
      {field("ops", &T::ops,
             "Operations to measure; 0: no limit. Without it and without a duration: "
             "--benchmark-ops.")
           .flag_named("ops"),
       field("duration", &T::duration,
             "Time to measure; 0: no limit. The first limit ends the run.")
           .flag_named("duration"),
       field("warm_up", &T::warm_up, "The same load before it, not part of the result.")
           .flag_named("warm-up"),
       field("timeout", &T::timeout, "After so long an operation has failed (DeadlineExceeded).")
           .min(10ms)
           .flag_named("timeout")});
  return kSchema;
}

const Schema& SearchOptions::schema() {
  using T = SearchOptions;
  static const auto kSchema = Schema::of<T>(
      "Search", {field("enabled", &T::enabled,
                       "Look for the highest rate that is served with --search-p99, by steps of an "
                       "open loop.")
                     .flag_named("search"),
                 field("plan", &T::search, "How to look for it.")});
  return kSchema;
}

const Schema& DataOptions::schema() {
  using T = DataOptions;
  static const auto kSchema = Schema::of<T>(
      "Keys and values",
      {field("key_space", &T::key_space, "Distinct keys.").min(1).flag_named("key-space"),
       field("key_size", &T::key_size, "Bytes of a key after the prefix.")
           .min(8)
           .flag_named("key-size"),
       field("key_order", &T::key_order,
             "Order in which keys are asked. Unset: what the workload calls for.")
           .flag_named("key-order"),
       field("skew", &T::skew, "zipfian: how steep, between 0 and 1.").flag_named("skew"),
       field(
           "value_size", &T::value_size,
           "Bytes of a value: 256, 128-4096 (evenly between), or lognormal:1KiB-64KiB (median and "
           "most). Values are random, so that nothing can compress them.")
           .flag_named("value-size"),
       field("seed", &T::seed, "The same seed asks the same questions.").flag_named("seed"),
       field("prefix", &T::prefix,
             "All keys begin with it. Refused if it holds keys of others; deleted afterwards.")
           .rule([](const std::string& text) -> config::Fault {
             if (!text.empty()) return std::nullopt;
             return "must not be empty: all keys under it are deleted afterwards";
           })
           .flag_named("prefix")});
  return kSchema;
}

const Schema& SafetyOptions::schema() {
  using T = SafetyOptions;
  static const auto kSchema = Schema::of<T>(
      "Safety",
      {field("force", &T::force,
             "Load it although it is unhealthy, near its quota, or busy with traffic of its own.")
           .flag_named("force"),
       field("test_cluster", &T::test_cluster,
             "Nobody needs this cluster: its own traffic does not matter, and a leader change does "
             "not end the run.")
           .flag_named("test-cluster"),
       field("busy_above", &T::busy_above,
             "Own traffic, in requests a second, from which on a cluster is not loaded without "
             "--force.")
           .min(0)
           .flag_named("busy-above"),
       field("abort_p99", &T::abort_p99,
             "End the run when the P99 of three seconds in a row is above this.")
           .min(1ms)
           .flag_named("abort-p99"),
       field("abort_on_leader_change", &T::abort_on_leader_change,
             "End the run when the leader changes. Unset: unless it is a test cluster.")
           .flag_named("abort-on-leader-change"),
       field("clean_up", &T::clean_up, "Delete the keys afterwards.").flag_named("clean-up"),
       field("clear_prefix", &T::clear_prefix,
             "First delete what an earlier run left behind under the prefix.")
           .flag_named("clear-prefix"),
       field("compact", &T::compact,
             "Compact the history afterwards. Watchers of other programs that lag behind must then "
             "start anew.")
           .flag_named("compact")});
  return kSchema;
}

const Schema& Options::schema() {
  using T = Options;
  static const auto kSchema = Schema::of<T>(
      "Workload",
      {field("load", &T::load, "How much is asked at once."),
       field("length", &T::length, "How long."), field("search", &T::search, "The highest rate."),
       field("shape", &T::shape, "What only some workloads look at."),
       field("target", &T::target, "Which of the members get the load.").flag_named("target"),
       field("settle", &T::settle,
             "Wait until etcd 3.4 forgot a burst of writes before reads are measured.")
           .flag_named("settle"),
       field("http2", &T::http2,
             "Our own framing, or the reference to compare it with: slower, the same answers.")
           .flag_named("http2"),
       field("data", &T::data, "What is asked for."),
       field("safety", &T::safety, "What keeps it from doing harm.")});
  return kSchema;
}

RunSpec spec_of(const Options& options, std::string workload, std::uint64_t default_ops) {
  RunSpec spec;
  spec.workload = std::move(workload);
  const auto& load = options.load;
  spec.load = {.clients = load.clients,
               .connections = load.connections != 0
                                  ? load.connections
                                  : std::max(connections_for(load.clients),
                                             std::min(load.threads, load.clients)),
               .threads = load.threads,
               .rate = load.rate,
               .arrivals = load.arrivals,
               .ramp_to = load.ramp_to,
               .patience = load.patience};
  const auto& length = options.length;
  spec.ops = length.ops.value_or(length.duration.count() > 0 ? 0 : default_ops);
  spec.duration = length.duration;
  spec.warm_up = length.warm_up;
  spec.timeout = length.timeout;
  if (options.search.enabled) spec.search = options.search.search;
  const auto& data = options.data;
  spec.keys = {
      .order = data.key_order, .space = data.key_space, .size = data.key_size, .skew = data.skew};
  spec.values = data.value_size;
  spec.seed = data.seed;
  spec.prefix = data.prefix;
  spec.shape = options.shape;
  spec.target = options.target;
  spec.settle = options.settle;
  spec.http2 = options.http2;
  const auto& safety = options.safety;
  spec.abort.p99 = safety.abort_p99;
  spec.abort.leader_change = safety.abort_on_leader_change.value_or(!safety.test_cluster);
  spec.clean_up = safety.clean_up;
  return spec;
}

std::vector<config::FlagSpec> option_flags() {
  auto flags = config::flags_of(Options::schema());
  for (auto& flag : flags) flag.environment.clear();
  return flags;
}

std::vector<config::Issue> apply_flags(Options& options, std::span<const config::FlagValue> flags) {
  config::Loader loader(options, config::read_file);
  loader.apply_flags(flags);
  loader.check();
  return loader.issues();
}

std::vector<std::pair<std::string, std::string>> settings_of(const Options& options) {
  std::vector<std::pair<std::string, std::string>> settings;
  for (const auto& binding : config::bindings_of(Options::schema())) {
    const void* owner = &options;
    for (const auto* step : binding.chain) {
      if (step == &binding.field()) break;
      // Looking changes nothing; a Field's accessors serve writers as well, hence not const.
      owner = step->section(const_cast<void*>(owner), 0);  // NOLINT(*-const-cast)
    }
    const auto shown = binding.field().show(owner);
    if (shown.kind != config::Node::Kind::kNull)
      settings.emplace_back(binding.flag.name, shown.text);
  }
  return settings;
}

std::span<const Preset> presets() {
  return kPresets;
}

const Preset* find_preset(std::string_view name) {
  const auto* const found = std::ranges::find(kPresets, name, &Preset::name);
  return found == kPresets.end() ? nullptr : found;
}

void apply_preset(Options& options, const Preset& preset) {
  options.load.clients = preset.clients;
  options.load.connections = preset.clients;
  options.load.rate = preset.rate;
  options.length.ops = 0;
  options.length.duration = 60s;
  options.data.key_size = kPresetKey;
  options.data.value_size = Sizes{Sizes::Kind::kFixed, kPresetValue, kPresetValue};
}

}  // namespace etcdmon::bench
