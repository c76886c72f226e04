#include "store/relay_outbox.hpp"

#include <algorithm>
#include <utility>

namespace etcdmon::store {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBatch = 100;
constexpr std::chrono::milliseconds kHold = 30s;
// Others push into the shared outbox too, and it cannot wake us.
constexpr std::chrono::milliseconds kLook = 1s;

constexpr std::string_view kSpool = "spool-";
constexpr std::string_view kShared = "shared-";

// Whose an id is, and the id there.
std::pair<bool, std::string> split(const std::string& id) {
  const bool shared = id.starts_with(kShared);
  const auto prefix = shared ? kShared.size() : std::min(kSpool.size(), id.size());
  return {shared, id.substr(prefix)};
}

void mark(std::vector<Lease>& leases, std::string_view whose) {
  for (auto& lease : leases) lease.id.insert(0, whose);
}

}  // namespace

Task<Result<void>> RelayOutbox::push(std::vector<model::Notification> notifications) {
  return spool_.push(std::move(notifications));
}

// From the spool to the shared outbox. A crash in between pushes twice, which the key makes one.
Task<Result<void>> RelayOutbox::forward(std::string channel) {
  while (true) {
    auto claimed = co_await spool_.claim(channel, kBatch, kHold);
    if (!claimed) co_return claimed.error();
    if (claimed->leases.empty()) co_return Result<void>{};
    std::vector<model::Notification> batch;
    for (const auto& lease : claimed->leases) batch.push_back(lease.notification);
    const auto pushed = co_await shared_.push(std::move(batch));
    for (const auto& lease : claimed->leases) {
      Settlement settlement{.kind = pushed ? Settlement::Kind::kDelivered
                                           : Settlement::Kind::kReleased};
      const auto settled = co_await spool_.settle(lease.id, std::move(settlement));
      if (!settled && settled.error().code != ErrorCode::kNotFound) co_return settled.error();
    }
    if (pushed) continue;
    away(pushed.error());
    co_return Result<void>{};
  }
}

bool RelayOutbox::knocks() const {
  return !away_since_ || clock_.now().steady >= knock_at_;
}

void RelayOutbox::away(const Error& error) {
  knock_at_ = clock_.now().steady + options_.knock_every;
  if (away_since_) return;
  away_since_ = clock_.now().steady;
  logger_.warn(
      "the shared outbox is away: notifications wait here, and are delivered from here if "
      "that lasts",
      {{"why", error.message}});
}

void RelayOutbox::back() {
  if (!std::exchange(away_since_, std::nullopt)) return;
  logger_.info("the shared outbox is back");
}

Task<Result<Claimed>> RelayOutbox::claim(std::string channel, std::size_t limit,
                                         std::chrono::milliseconds hold) {
  if (!knocks()) co_return co_await claim_from_spool(std::move(channel), limit, hold);
  const auto forwarded = co_await forward(channel);
  if (!forwarded) co_return forwarded.error();
  if (!knocks()) co_return co_await claim_from_spool(std::move(channel), limit, hold);
  auto claimed = co_await shared_.claim(channel, limit, hold);
  if (claimed) {
    back();
    mark(claimed->leases, kShared);
    claimed->next_in = std::min(claimed->next_in.value_or(kLook), kLook);
    co_return claimed;
  }
  away(claimed.error());
  co_return co_await claim_from_spool(std::move(channel), limit, hold);
}

Task<Result<Claimed>> RelayOutbox::claim_from_spool(std::string channel, std::size_t limit,
                                                    std::chrono::milliseconds hold) {
  if (clock_.now().steady - *away_since_ < options_.deliver_after)
    co_return Claimed{.leases = {}, .next_in = kLook};
  auto own = co_await spool_.claim(std::move(channel), limit, hold);
  if (!own) co_return own;
  mark(own->leases, kSpool);
  own->next_in = std::min(own->next_in.value_or(kLook), kLook);
  co_return own;
}

Task<Result<void>> RelayOutbox::settle(std::string lease_id, Settlement settlement) {
  auto [shared, id] = split(lease_id);
  auto& owner = shared ? shared_ : spool_;
  return owner.settle(std::move(id), std::move(settlement));
}

Task<Result<std::vector<DeadLetter>>> RelayOutbox::dead_letters(std::size_t limit) {
  auto all = co_await spool_.dead_letters(limit);
  if (!all) co_return all;
  for (auto& letter : *all) letter.id.insert(0, kSpool);
  auto shared = co_await shared_.dead_letters(limit);
  if (shared) {
    for (auto& letter : *shared) {
      letter.id.insert(0, kShared);
      all->push_back(std::move(letter));
    }
  }
  std::ranges::sort(*all, std::greater{}, &DeadLetter::died_at);
  if (all->size() > limit)
    all->erase(all->begin() + static_cast<std::ptrdiff_t>(limit), all->end());
  co_return all;
}

Task<Result<void>> RelayOutbox::revive(std::string dead_letter_id) {
  auto [shared, id] = split(dead_letter_id);
  auto& owner = shared ? shared_ : spool_;
  return owner.revive(std::move(id));
}

Task<Result<void>> RelayOutbox::drop(std::string dead_letter_id) {
  auto [shared, id] = split(dead_letter_id);
  auto& owner = shared ? shared_ : spool_;
  return owner.drop(std::move(id));
}

Task<Result<std::vector<QueueCount>>> RelayOutbox::counts() {
  auto all = co_await spool_.counts();
  if (!all) co_return all;
  const auto shared = co_await shared_.counts();
  if (!shared) co_return all;
  for (const auto& count : *shared) {
    const auto known = std::ranges::find(*all, count.channel, &QueueCount::channel);
    if (known == all->end()) {
      all->push_back(count);
      continue;
    }
    known->waiting += count.waiting;
    known->dead += count.dead;
    if (!known->oldest || (count.oldest && *count.oldest < *known->oldest))
      known->oldest = count.oldest;
  }
  std::ranges::sort(*all, {}, &QueueCount::channel);
  co_return all;
}

}  // namespace etcdmon::store
