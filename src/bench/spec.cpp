#include "bench/spec.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/units.hpp"
#include "config/suggest.hpp"

namespace etcdmon::bench {

namespace {

constexpr std::uint32_t kLargestValue = 64U << 20U;

Result<std::uint32_t> parse_size(std::string_view text) {
  ETCDMON_TRY(const Bytes bytes, parse_bytes(text));
  if (bytes.value > kLargestValue) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} is too large for a value: at most 64MiB", text)};
  }
  return static_cast<std::uint32_t>(bytes.value);
}

bool is_workload(std::string_view name) {
  return std::ranges::any_of(workloads(),
                             [name](const WorkloadEntry& entry) { return entry.name == name; });
}

std::string unknown_workload(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& entry : workloads()) names.emplace_back(entry.name);
  const auto near = config::closest(name, names);
  if (!near.empty()) return fmt::format("no workload {:?}; did you mean {:?}?", name, near);
  return fmt::format("no workload {:?}; there are {}", name, fmt::join(names, ", "));
}

class Complaints {
 public:
  void unless(bool fine, std::string text) {
    if (!fine) texts_.push_back(std::move(text));
  }
  std::vector<std::string> take() && { return std::move(texts_); }

 private:
  std::vector<std::string> texts_;
};

void check_load(const RunSpec& spec, Complaints& found) {
  const auto& load = spec.load;
  found.unless(load.clients > 0 && load.clients <= 100'000, "clients must be 1 to 100000");
  found.unless(load.connections > 0 && load.connections <= 50'000,
               "connections must be 1 to 50000");
  found.unless(load.connections <= load.clients,
               fmt::format("{} connections for {} clients: each connection needs a client",
                           load.connections, load.clients));
  found.unless(load.threads > 0 && load.threads <= 64, "threads must be 1 to 64");
  found.unless(load.threads <= load.connections,
               fmt::format("{} threads for {} connections: each thread needs a connection",
                           load.threads, load.connections));
  found.unless(std::isfinite(load.rate) && load.rate >= 0 && load.rate <= 1e7,
               "rate must be 0 (as fast as answers come) to 10000000 a second");
  found.unless(std::isfinite(load.ramp_to) && load.ramp_to >= 0 && load.ramp_to <= 1e7,
               "ramp must end between 0 and 10000000 a second");
  found.unless(load.ramp_to == 0 || (load.rate > 0 && spec.duration.count() > 0),
               "a ramp needs a rate to begin with and a duration");
  found.unless(load.patience.count() > 0, "patience must be more than 0");
}

void check_search(const RunSpec& spec, Complaints& found) {
  if (!spec.search) return;
  const auto& search = *spec.search;
  found.unless(std::isfinite(search.from) && search.from >= 1 && search.from <= search.max,
               "search must begin with a rate between 1 and its highest");
  found.unless(std::isfinite(search.max) && search.max <= 1e7,
               "search must end at 10000000 a second or before");
  found.unless(search.step >= Milliseconds(1'000), "a step of the search takes 1s or more");
  found.unless(search.p99.count() > 0, "search needs a P99 to hold");
  found.unless(search.precision >= 0.01 && search.precision <= 0.5,
               "search precision must be 0.01 to 0.5");
  found.unless(spec.load.ramp_to == 0, "a run is a ramp or a search, not both");
  found.unless(spec.workload != "scale", "scale fills in keys; it cannot search for a rate");
}

void check_data(const RunSpec& spec, Complaints& found) {
  found.unless(spec.keys.space > 0 && spec.keys.space <= 1'000'000'000,
               "the key space must be 1 to 1000000000 keys");
  found.unless(spec.keys.size >= 8 && spec.keys.size <= 8'192,
               "keys must have 8 to 8192 bytes after the prefix");
  found.unless(spec.keys.skew > 0 && spec.keys.skew < 1, "skew must be between 0 and 1");
  found.unless(spec.values.min <= spec.values.max && spec.values.max <= kLargestValue,
               "value sizes must not fall, and are at most 64MiB");
  found.unless(spec.values.kind != Sizes::Kind::kLogNormal || spec.values.min > 0,
               "a lognormal size needs a median of 1 or more");
  found.unless(!spec.prefix.empty(), "the prefix must not be empty: all keys under it are deleted");
}

void check_shape(const RunSpec& spec, Complaints& found) {
  const auto& shape = spec.shape;
  found.unless(shape.reads >= 0 && shape.reads <= 1, "the share of reads must be 0 to 1");
  found.unless(!(shape.count_only && shape.keys_only),
               "count-only and keys-only exclude each other");
  found.unless(shape.txn_ops > 0 && shape.txn_ops <= 128,
               "a transaction has 1 to 128 operations (etcd's --max-txn-ops)");
  found.unless(shape.watchers > 0 && shape.watchers <= 1'000'000, "watchers must be 1 to 1000000");
  found.unless(shape.events > 0 && shape.events <= 100'000, "events must be 1 to 100000");
  found.unless(shape.lease_ttl.count() >= 1, "a lease lives 1s or longer");
  found.unless(shape.steps > 0 && shape.steps <= 1'000, "steps must be 1 to 1000");
  found.unless(spec.workload != "scale" || spec.ops > 0, "scale needs the number of keys as ops");
  if (spec.workload != "delete") return;
  found.unless(!spec.search && spec.warm_up.count() == 0 && spec.ops <= spec.keys.space,
               "delete deletes every key of the key space once: no search, no warm-up, and no more "
               "operations than keys");
}

}  // namespace

std::vector<std::string> complaints(const RunSpec& spec) {
  Complaints found;
  found.unless(is_workload(spec.workload), unknown_workload(spec.workload));
  found.unless(!spec.endpoints.empty(), "no endpoint is named");
  const bool wants_tls = std::ranges::any_of(spec.endpoints, &net::Endpoint::tls);
  found.unless(!wants_tls || spec.tls.has_value(), "an https endpoint needs TLS options");
  found.unless(spec.user.empty() || !spec.password.empty(), "a user needs a password");
  check_load(spec, found);
  check_search(spec, found);
  found.unless(spec.search || spec.ops > 0 || spec.duration.count() > 0,
               "a run needs a number of operations, a duration, or both");
  found.unless(spec.warm_up.count() >= 0 && spec.duration.count() >= 0,
               "durations must not be negative");
  found.unless(spec.timeout >= Milliseconds(10), "the timeout of an operation is 10ms or more");
  check_data(spec, found);
  check_shape(spec, found);
  return std::move(found).take();
}

Result<Sizes> parse_sizes(std::string_view text) {
  constexpr std::string_view kLogNormal = "lognormal:";
  Sizes sizes;
  auto rest = text;
  if (rest.starts_with(kLogNormal)) {
    sizes.kind = Sizes::Kind::kLogNormal;
    rest.remove_prefix(kLogNormal.size());
  }
  const auto dash = rest.find('-');
  if (dash == std::string_view::npos) {
    if (sizes.kind == Sizes::Kind::kLogNormal) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("{:?}: write lognormal:MEDIAN-MOST", text)};
    }
    ETCDMON_TRY(sizes.min, parse_size(rest));
    sizes.max = sizes.min;
    return sizes;
  }
  if (sizes.kind == Sizes::Kind::kFixed) sizes.kind = Sizes::Kind::kUniform;
  ETCDMON_TRY(sizes.min, parse_size(rest.substr(0, dash)));
  ETCDMON_TRY(sizes.max, parse_size(rest.substr(dash + 1)));
  if (sizes.min > sizes.max) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{:?}: the larger size comes second", text)};
  }
  return sizes;
}

std::string to_string(const Sizes& sizes) {
  if (sizes.kind == Sizes::Kind::kFixed) return format_bytes(Bytes{sizes.min});
  return fmt::format("{}{}-{}", sizes.kind == Sizes::Kind::kLogNormal ? "lognormal:" : "",
                     format_bytes(Bytes{sizes.min}), format_bytes(Bytes{sizes.max}));
}

std::string_view name_of(Target target) {
  switch (target) {
    case Target::kAll:
      return "all";
    case Target::kLeader:
      return "leader";
    case Target::kFollowers:
      return "followers";
  }
  return "all";
}

std::string_view name_of(Keys::Order order) {
  switch (order) {
    case Keys::Order::kSequential:
      return "sequential";
    case Keys::Order::kUniform:
      return "uniform";
    case Keys::Order::kZipfian:
      return "zipfian";
  }
  return "sequential";
}

}  // namespace etcdmon::bench
