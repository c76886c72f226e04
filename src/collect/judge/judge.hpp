// collect/judge/judge.hpp: the judgement over one cluster: a pure function of what was seen and
// what is remembered.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "model/event.hpp"
#include "model/observation.hpp"
#include "model/verdict.hpp"

namespace etcdmon::collect {

struct JudgeOptions {
  std::chrono::milliseconds pulse_interval{1'000};
  std::chrono::milliseconds health_check_interval{30'000};
  std::chrono::milliseconds metrics_interval{10'000};
  /// The cluster's --election-timeout.
  std::chrono::milliseconds election_timeout{1'000};
};

/// What must be remembered between two judgements: hysteresis, "seen twice", histories. A value
/// that can be copied and saved; its fields are the judgement's own business.
struct JudgeState;
struct JudgeStateDeleter {
  void operator()(JudgeState* state) const;
};
using JudgeStatePtr = std::unique_ptr<JudgeState, JudgeStateDeleter>;
JudgeStatePtr make_judge_state();

struct Judgement {
  JudgeStatePtr state;
  model::Assessment assessment;
  std::vector<model::Event> events;  ///< what happened since the last judgement, oldest first
  bool closer_look = false;  ///< the next pages of /metrics would decide: they are wanted soon
};

/// Pure: the same inputs give the same result; `seen.at` is the only clock. Cost is linear in
/// members, quadratic in peers; ≤ 50 µs for five members.
Judgement judge(JudgeStatePtr state, const model::Observation& seen, const JudgeOptions& options);

}  // namespace etcdmon::collect
