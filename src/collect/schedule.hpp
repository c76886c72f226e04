// collect/schedule.hpp: when what is due: every cadence of every cluster on one timer.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"

namespace etcdmon::collect {

/// The pure part: jobs with an interval and a phase, in slots of 10 ms so that what falls together
/// is sent together. A job that comes late runs once and goes on in its old rhythm: the ticks it
/// missed are counted.
class Timeline {
 public:
  static constexpr std::chrono::milliseconds kSlot{10};

  using JobId = std::uint64_t;
  struct Due {
    JobId id = 0;
    SteadyTime scheduled;      ///< when it should have run
    std::uint64_t missed = 0;  ///< ticks that passed unused since the last run
  };

  /// The first run is at the next moment ≡ `phase` modulo `interval`, at `now` or later.
  JobId add(Duration interval, Duration phase, SteadyTime now);
  void remove(JobId id);
  /// Brings the next run forward to `when` without changing the rhythm after it.
  void bring_forward(JobId id, SteadyTime when);

  /// Everything due at `now`, in order of time.
  std::vector<Due> pop_due(SteadyTime now);
  /// SteadyTime::max() when there is nothing to do.
  SteadyTime next() const;

 private:
  struct Job {
    Duration interval;
    Duration phase;
    SteadyTime next;
  };

  void requeue(JobId id, SteadyTime when);
  static SteadyTime to_slot(SteadyTime when);
  static SteadyTime next_tick(const Job& job, SteadyTime after);

  std::map<JobId, Job> jobs_;
  std::multimap<SteadyTime, JobId> queue_;
  JobId last_id_ = 0;
};

/// A stable place in [0, interval) for `name`, so that many targets spread evenly and stay where
/// they are.
Duration phase_of(std::string_view name, Duration interval);

/// The shell around a Timeline: one timer for the whole process.
///
/// Threads:  the loop only.
/// Lifetime: stop() before destruction; jobs must outlive their registration.
class Schedule {
 public:
  using Job = std::function<void(const Timeline::Due&)>;

  explicit Schedule(Executor executor) : timer_(executor) {}
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;

  Timeline::JobId every(Duration interval, Duration phase, Job job);
  void cancel(Timeline::JobId id);
  void bring_forward(Timeline::JobId id, SteadyTime when);
  /// Runs jobs until stop().
  Task<> run();
  void stop();

 private:
  Timer timer_;
  Timeline timeline_;
  std::map<Timeline::JobId, std::shared_ptr<Job>> jobs_;
  bool stopped_ = false;
};

}  // namespace etcdmon::collect
