// Collector's divergence check: HashKV of every voter at one revision, and only while that does no
// harm.
#include <algorithm>

#include "collect/collector.hpp"

namespace etcdmon::collect {

using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

// HashKV scans the key bucket under the backend's read lock: on a large database that holds up
// clients.
constexpr std::uint64_t kLargestHashed = std::uint64_t{2} << 30U;

bool may_be_hashed(const model::MemberFacts& facts) {
  return facts.pulse && facts.pulse->ok() && facts.status && !facts.status->leader.none() &&
         facts.status->errors.empty() && facts.status->db_size <= kLargestHashed;
}

}  // namespace

void Collector::tick_hash(const Timeline::Due& due) {
  missed_ticks_ += due.missed;
  if (!hash_running_) scope_.spawn("hash check", hash_round());
}

// One member after the other, the leader last, all at the revision of the member that is furthest
// behind; not at all unless every voter is healthy and runs the same version.
Task<> Collector::hash_round() {
  Watches voters;
  for (const auto& watch : watches_) {
    const auto& facts = watch->facts();
    if (facts.entry.id.none() || facts.entry.learner) continue;
    if (!may_be_hashed(facts)) co_return;
    voters.push_back(watch);
  }
  if (voters.size() < 2 || in_doubt()) co_return;
  const auto version = voters.front()->facts().status->version;
  std::int64_t revision = voters.front()->facts().status->revision;
  for (const auto& watch : voters) {
    if (watch->facts().status->version != version) co_return;
    revision = std::min(revision, watch->facts().status->revision);
  }
  std::ranges::stable_partition(
      voters, [](const auto& watch) { return !watch->facts().status->is_leader(); });

  hash_running_ = true;
  for (const auto& watch : voters) {
    const auto sample = co_await watch->hash(revision, steady_clock::now() + seconds(60));
    if (!sample) {
      logger_.warn("hash check stopped",
                   {{"endpoint", watch->facts().endpoint}, {"why", sample.error().message}});
      break;
    }
    watch->record_hash(*sample);
    if (in_doubt()) break;
  }
  hash_running_ = false;
  if (on_change_) on_change_(Urgency::kSoon);
}

}  // namespace etcdmon::collect
