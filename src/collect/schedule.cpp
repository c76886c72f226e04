#include "collect/schedule.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/this_coro.hpp>

namespace etcdmon::collect {

SteadyTime Timeline::to_slot(SteadyTime when) {
  const auto since_epoch = std::chrono::ceil<std::chrono::milliseconds>(when.time_since_epoch());
  const auto slots = (since_epoch + kSlot - std::chrono::milliseconds(1)) / kSlot;
  return SteadyTime(slots * kSlot);
}

SteadyTime Timeline::next_tick(const Job& job, SteadyTime after) {
  const auto since_phase = after.time_since_epoch() - job.phase;
  const auto ticks =
      since_phase / job.interval + (since_phase % job.interval == Duration::zero() ? 0 : 1);
  return SteadyTime(job.phase + ticks * job.interval);
}

void Timeline::requeue(JobId id, SteadyTime when) {
  jobs_.at(id).next = when;
  queue_.emplace(to_slot(when), id);
}

Timeline::JobId Timeline::add(Duration interval, Duration phase, SteadyTime now) {
  const JobId id = ++last_id_;
  const auto job = jobs_.emplace(id, Job{interval, phase, {}}).first;
  requeue(id, next_tick(job->second, now));
  return id;
}

void Timeline::remove(JobId id) {
  jobs_.erase(id);
  std::erase_if(queue_, [id](const auto& entry) { return entry.second == id; });
}

void Timeline::bring_forward(JobId id, SteadyTime when) {
  const auto job = jobs_.find(id);
  if (job == jobs_.end() || job->second.next <= when) return;
  std::erase_if(queue_, [id](const auto& entry) { return entry.second == id; });
  requeue(id, when);
}

std::vector<Timeline::Due> Timeline::pop_due(SteadyTime now) {
  std::vector<Due> due;
  while (!queue_.empty() && queue_.begin()->first <= now) {
    const JobId id = queue_.begin()->second;
    queue_.erase(queue_.begin());
    const auto& job = jobs_.at(id);
    const auto scheduled = job.next;
    const auto late = static_cast<std::uint64_t>((now - scheduled) / job.interval);
    due.push_back(Due{id, scheduled, late});
    requeue(id, next_tick(job, now + Duration(1)));
  }
  return due;
}

SteadyTime Timeline::next() const {
  return queue_.empty() ? SteadyTime::max() : queue_.begin()->first;
}

Duration phase_of(std::string_view name, Duration interval) {
  // FNV-1a: stable across processes and versions, unlike std::hash.
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return Duration(static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(interval.count())));
}

Timeline::JobId Schedule::every(Duration interval, Duration phase, Job job) {
  const auto id = timeline_.add(interval, phase, std::chrono::steady_clock::now());
  jobs_.emplace(id, std::make_shared<Job>(std::move(job)));
  timer_.cancel();
  return id;
}

void Schedule::cancel(Timeline::JobId id) {
  timeline_.remove(id);
  jobs_.erase(id);
}

void Schedule::bring_forward(Timeline::JobId id, SteadyTime when) {
  timeline_.bring_forward(id, when);
  timer_.cancel();
}

Task<> Schedule::run() {
  while (!stopped_) {
    timer_.expires_at(timeline_.next());
    co_await timer_.async_wait(as_result);
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
    const auto due = timeline_.pop_due(std::chrono::steady_clock::now());
    auto slice_end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
    for (const auto& tick : due) {
      const auto job = jobs_.find(tick.id);
      if (job == jobs_.end()) continue;
      const auto keep = job->second;  // a job may cancel itself
      (*keep)(tick);
      if (std::chrono::steady_clock::now() > slice_end) {
        co_await async::yield();
        slice_end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
      }
    }
  }
}

void Schedule::stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace etcdmon::collect
