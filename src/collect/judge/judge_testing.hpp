// collect/judge/judge_testing.hpp: a cluster that tests play bad days on, observed as the collector
// would.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collect/judge/judge.hpp"

namespace etcdmon::collect::testing {

using namespace std::chrono_literals;

enum class Mode : std::uint8_t {
  kUp,
  kDead,        ///< the process is gone: connections are refused
  kStopped,     ///< SIGSTOP: connections stand, nothing answers
  kBlackHoled,  ///< packets vanish on the way from us
  kBusy,        ///< Status waits for the backend, /metrics answers
  kNotAllowed,  ///< every RPC ends with PermissionDenied
  kNoToken,     ///< every RPC ends with "invalid auth token"
  kUnstarted,
};

struct SimMember {
  model::MemberEntry entry;
  Mode mode = Mode::kUp;
  MemberId leader;
  std::uint64_t term = 0;
  std::uint64_t applied = 0;
  std::int64_t revision = 0;
  std::string version = "3.5.16";
  std::vector<std::string> errors;
  std::optional<bool>
      reads;  ///< linearizable reads succeed; nullopt: where its leader has a majority
  double start_time = 1'000;
  bool defragmenting = false;
  std::pair<MemberId, ClusterId> stranger;  ///< who answers at its address instead
  bool metrics = true;                      ///< /metrics can be had
  bool stuck = false;                       ///< its disk: it hears, and says nothing to its peers
  int silent_steps = 0;
};

/// Members "a", "b", "c", … with ids 1, 2, 3, …, led by "a" in term 5. Every step is one pulse: a
/// second.
class Scene {
 public:
  explicit Scene(int voters, int learners = 0);

  SimMember& operator[](const std::string& name);
  static MemberId id(const std::string& name) {
    return MemberId{static_cast<std::uint64_t>(name[0] - 'a') + 1};
  }

  /// `followers` name `leader` (empty: none) in `term`.
  void follow(const std::vector<std::string>& followers, const std::string& leader,
              std::uint64_t term);
  /// Neither sees the other any more.
  void cut(const std::string& a, const std::string& b);
  void cut_one_way(const std::string& from, const std::string& to);
  void heal();
  /// The process ends: the connection ends, and the redial is refused. Judged within the same
  /// second.
  void kill(const std::string& name);
  /// A new process; raft state as before.
  void start(const std::string& name);
  void add(const std::string& name, bool learner, bool started);
  void remove(const std::string& name);

  /// Pulses, each followed by a judgement.
  void run(int steps);
  /// A judgement now, without a pulse.
  void look();
  /// Time passes without anybody looking: this process was stopped.
  void stall(std::chrono::seconds duration);
  void step_wall_clock(std::chrono::seconds by) { wall_offset_ += by; }

  bool has(model::Check check, const std::string& subject = "") const;
  const model::Verdict& verdict(model::Check check, const std::string& subject = "") const;
  /// "MemberUnreachable(b) QuorumLost()", most severe first; without infos.
  std::string problems() const;
  model::Reach reach(const std::string& name) const;
  std::vector<model::EventKind> events() const;  ///< since the last forget_events()
  std::string event_texts() const;
  void forget_events() { told_.clear(); }

  model::Observation seen;
  model::Assessment found;
  JudgeOptions options;
  bool blind = false;  ///< as etcd 3.5: a peer counts as active although its packets are dropped
  std::string
      trouble;  ///< a broken invariant of some judgement on the way: two verdicts of one kind, …

 private:
  void pulse(SimMember& member, model::MemberFacts& facts);
  void miss(SimMember& member, model::MemberFacts& facts);
  void answer(SimMember& member, model::MemberFacts& facts);
  void scrape(SimMember& member, model::MemberFacts& facts);
  /// What members send each other while time goes on to `now_`.
  void flow();
  void read(SimMember& member, model::MemberFacts& facts);
  bool reads_succeed(const SimMember& member);
  bool in_doubt();
  void judge_now(std::chrono::milliseconds after);
  void check_invariants();
  model::MemberFacts& facts_of(const SimMember& member);
  void link_up(model::MemberFacts& facts);

  std::vector<SimMember> members_;
  std::set<std::pair<MemberId, MemberId>> cuts_;
  std::map<std::pair<MemberId, MemberId>, model::MetricsFacts::Peer> peers_;
  std::map<MemberId, double> beats_;
  SteadyTime flowed_{1'000s};
  bool closer_ = false;
  JudgeStatePtr state_;
  std::vector<model::Event> told_;
  SteadyTime now_{1'000s};
  Duration wall_offset_{std::chrono::hours(500'000)};
  int steps_ = 0;
};

}  // namespace etcdmon::collect::testing
