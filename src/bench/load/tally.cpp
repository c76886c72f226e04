#include "bench/load/tally.hpp"

#include <algorithm>

namespace etcdmon::bench {

void Tally::clear() {
  for (auto& operation : operations) {
    if (operation.succeeded + operation.failed > 0) operation = OperationTally{};
  }
  for (auto& error : errors) error.count = 0;
  if (lateness.count() > 0) lateness.reset();
  offered = 0;
  backlog = 0;
  dropped = 0;
}

Totals::Totals(std::span<const OperationKind> kinds, std::uint32_t workers)
    : kinds_(kinds.begin(), kinds.end()), workers_(workers), all_(kinds.size()) {}

void Totals::take(std::int64_t second, Duration length, Tally& tally) {
  const std::lock_guard lock(mutex_);
  auto& open = open_[second];
  ++open.reported;
  open.row.at = std::chrono::seconds(second);
  open.row.length = std::max(open.row.length, length);
  open.row.offered += tally.offered;
  open.row.backlog += tally.backlog;
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    const auto& from = tally.operations[i];
    if (from.succeeded + from.failed == 0) continue;
    auto& to = all_.operations[i];
    to.succeeded += from.succeeded;
    to.failed += from.failed;
    to.latency.merge(from.latency);
    if (!kinds_[i].counted) continue;
    open.row.succeeded += from.succeeded;
    open.row.failed += from.failed;
    open.latency.merge(from.latency);
    since_sample_.merge(from.latency);
  }
  for (std::size_t i = 0; i < tally.errors.size(); ++i) {
    if (tally.errors[i].count == 0) continue;
    if (all_.errors[i].count == 0) all_.errors[i].example = tally.errors[i].example;
    all_.errors[i].count += tally.errors[i].count;
  }
  all_.lateness.merge(tally.lateness);
  all_.dropped += tally.dropped;
  backlog_max_ = std::max(backlog_max_, open.row.backlog);
  tally.clear();
  close_complete();
}

void Totals::leave() {
  const std::lock_guard lock(mutex_);
  ++left_;
  close_complete();
}

// A worker that left reports no more; before that each reports every second.
void Totals::close_complete() {
  while (!open_.empty()) {
    auto& [second, open] = *open_.begin();
    const bool more_may_come = left_ < workers_ && open.reported + left_ < workers_;
    if (more_may_come) return;
    open.row.p50 = open.latency.quantile(0.5).value_or(0);
    open.row.p99 = open.latency.quantile(0.99).value_or(0);
    open.row.max = open.latency.max();
    seconds_.push_back(open.row);
    open_.erase(open_.begin());
  }
}

Totals::Last Totals::last() const {
  const std::lock_guard lock(mutex_);
  Last last;
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    if (!kinds_[i].counted) continue;
    last.succeeded += all_.operations[i].succeeded;
    last.failed += all_.operations[i].failed;
  }
  last.seconds = seconds_.size();
  if (seconds_.empty()) return last;
  const auto& row = seconds_.back();
  const auto took = std::chrono::duration<double>(row.length).count();
  last.rate = took > 0 ? static_cast<double>(row.succeeded) / took : 0;
  last.offered = took > 0 ? row.offered / took : 0;
  last.p99 = row.p99;
  return last;
}

Totals::Sample Totals::sample() {
  Sample sample{.succeeded = last().succeeded};
  const std::lock_guard lock(mutex_);
  sample.p50 = since_sample_.quantile(0.5).value_or(0);
  sample.p99 = since_sample_.quantile(0.99).value_or(0);
  since_sample_.reset();
  return sample;
}

void Totals::give(RunResult& result) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    const auto& tally = all_.operations[i];
    result.operations.push_back(OperationResult{.name = std::string(kinds_[i].name),
                                                .counted = kinds_[i].counted,
                                                .succeeded = tally.succeeded,
                                                .failed = tally.failed,
                                                .latency = tally.latency});
    if (!kinds_[i].counted) continue;
    result.succeeded += tally.succeeded;
    result.failed += tally.failed;
    result.latency.merge(tally.latency);
  }
  for (std::size_t i = 0; i < all_.errors.size(); ++i) {
    if (all_.errors[i].count > 0) result.errors[static_cast<ErrorCode>(i)] = all_.errors[i];
  }
  result.seconds = std::move(seconds_);
  result.client.lateness_p99 = all_.lateness.quantile(0.99).value_or(0);
  result.client.lateness_max = all_.lateness.max();
  result.client.backlog_max = backlog_max_;
  result.client.dropped = all_.dropped;
}

}  // namespace etcdmon::bench
