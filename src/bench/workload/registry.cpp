#include <algorithm>

#include "bench/workload/kinds.hpp"

namespace etcdmon::bench {

namespace {

std::uint64_t whole_space(const RunSpec& spec) {
  return spec.keys.space;
}
std::uint64_t past_events(const RunSpec& spec) {
  return spec.shape.events;
}
std::uint32_t all_watchers(const RunSpec& spec) {
  return spec.shape.watchers;
}

// In the order they are shown. Where operations find what they look for, it is filled in before.
const std::vector<WorkloadType>& types() {
  static const std::vector<WorkloadType> kAll = {
      {.entry = {"write", "puts, sequential keys", true}, .make = make_write},
      {.entry = {"read", "ranges of one key, random keys", false},
       .make = make_read,
       .puts_needed = whole_space,
       .fill = make_fill},
      {.entry = {"mixed", "reads and writes, 70 % reads", true},
       .make = make_mixed,
       .puts_needed = whole_space,
       .fill = make_fill},
      {.entry = {"range", "pages of keys", false},
       .make = make_range,
       .puts_needed = whole_space,
       .fill = make_fill},
      {.entry = {"delete", "deletes of keys that are there", true},
       .make = make_delete,
       .puts_needed = whole_space,
       .fill = make_fill},
      {.entry = {"txn", "compare-and-swap of one or more keys", true}, .make = make_txn},
      {.entry = {"txn-mixed", "transactions that read or write, told apart", true},
       .make = make_txn_mixed,
       .puts_needed = whole_space,
       .fill = make_fill},
      {.entry = {"watch-latency", "from put to event at every watcher", true},
       .make = make_watch_latency,
       .listeners = all_watchers},
      {.entry = {"watch-get", "watchers that read back a key's past events", false},
       .make = make_watch_get,
       .puts_needed = past_events,
       .fill = make_one_key_fill},
      {.entry = {"lease-grant", "new leases", true}, .make = make_lease_grant},
      {.entry = {"lease-keepalive", "leases kept alive", false}, .make = make_lease_keepalive},
      {.entry = {"lock", "read, then write unless it changed: software transactions", true},
       .make = make_lock},
      {.entry = {"kubernetes", "what API servers ask: guarded updates, pages, watches, leases",
                 true},
       .make = make_kubernetes,
       .puts_needed = whole_space,
       .fill = make_fill,
       .listeners = all_watchers},
      {.entry = {"scale", "fills in keys and shows how latency and memory go", true},
       .make = make_scale},
  };
  return kAll;
}

}  // namespace

const std::vector<WorkloadEntry>& workloads() {
  static const std::vector<WorkloadEntry> kEntries = [] {
    std::vector<WorkloadEntry> entries;
    for (const auto& type : types()) entries.push_back(type.entry);
    return entries;
  }();
  return kEntries;
}

const WorkloadType* find_workload(std::string_view name) {
  const auto found = std::ranges::find_if(
      types(), [name](const WorkloadType& type) { return type.entry.name == name; });
  return found == types().end() ? nullptr : &*found;
}

}  // namespace etcdmon::bench
