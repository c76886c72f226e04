// collect/judge/look.hpp: one Observation with what every judgement reads off it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collect/judge/judge.hpp"
#include "collect/judge/state.hpp"

namespace etcdmon::collect {

/// One watched member or endpoint.
struct Subject {
  const model::MemberFacts* facts = nullptr;
  std::string label;        ///< its name, else its id, else its endpoint: unique in the cluster
  bool identified = false;  ///< its member id is known
  bool listed = false;      ///< it is in the member list, or no list is known yet
  bool learner = false;
  bool voter = false;  ///< listed and no learner
};

/// Lifetime: must not outlive the Observation and the options.
struct Look {
  const model::Observation& seen;
  const JudgeOptions& options;
  SteadyTime now;
  std::vector<Subject> subjects;  ///< same order as seen.members
  int voters = 0;  ///< of the member list, unstarted ones too; 0: the list is unknown
  int learners = 0;
  int quorum = 0;
  /// What was seen last says nothing, because this process was late.
  bool lagged = false;

  std::optional<std::size_t> index_of(MemberId id) const;
  /// Also for members that are not watched, and for strangers (their id).
  std::string label_of(MemberId id) const;
  /// An answer to Status that is older than this says nothing about now.
  Duration answer_window() const;
  /// The same for a page of /metrics.
  Duration page_window() const;
  Duration two_elections() const { return 2 * Duration(options.election_timeout); }
  Duration pulse() const { return options.pulse_interval; }
};

Look look_at(const model::Observation& seen, const JudgeOptions& options);

/// Brings `memory` into the order of the observation: new members get an empty one, lost ones lose
/// theirs.
void align_memory(const Look& look, JudgeState& state);
/// Notes what changed in the members' answers to Status.
void remember_answers(const Look& look, std::span<MemberMemory> memory);

/// Takes back what nobody could have seen: until the first round after a sleep of this process is
/// complete, the look counts as lagged.
void notice_own_sleep(Look& look, const EventMemory& told, MonitorMemory& monitor);

/// True where this member's last answer to Status counts now: reachable, and the answer is recent.
bool is_fresh(const Look& look, const Subject& subject, const MemberMemory& memory);
/// True where nothing runs there, or it runs and does nothing: not merely out of our reach.
bool is_proven_dead(const ReachMemory& reach);
/// "infra1 unreachable (refused)"
std::string describe(const Subject& subject, const ReachMemory& reach);

/// "a", "a and b", "a, b and c"
std::string join_names(const std::vector<std::string>& names);

/// Collects verdicts: keeps the `since` of what was found before, and one verdict per (check,
/// subject).
class Findings {
 public:
  Findings(const std::vector<model::Verdict>& before, SteadyTime now)
      : before_(before), now_(now) {}

  /// A `since` left at its default is now.
  void add(model::Verdict verdict);
  /// Most severe first, then check, then subject.
  std::vector<model::Verdict> take();
  const std::vector<model::Verdict>& so_far() const { return found_; }

 private:
  const std::vector<model::Verdict>& before_;
  SteadyTime now_;
  std::vector<model::Verdict> found_;
};

}  // namespace etcdmon::collect
