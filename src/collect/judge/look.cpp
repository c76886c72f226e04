#include "collect/judge/look.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace etcdmon::collect {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Lateness of this process above which a round says nothing: a quarter of the pulse's deadline.
constexpr milliseconds kOwnLag{225};
// There is a look after every pulse; one that comes later than two intervals and this has slept.
constexpr milliseconds kLooksLate{1'500};

std::string own_label(const model::MemberFacts& facts) {
  if (!facts.entry.name.empty()) return facts.entry.name;
  if (!facts.entry.id.none()) return to_hex(facts.entry.id);
  return facts.endpoint;
}

// Two members may bear one name: then only the id tells them apart.
void make_labels_unique(std::vector<Subject>& subjects) {
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    if (!subjects[i].identified) continue;
    const auto& name = subjects[i].facts->entry.name;
    const bool shared = !name.empty() && std::ranges::any_of(subjects, [&](const Subject& other) {
      return &other != &subjects[i] && other.identified && other.facts->entry.name == name;
    });
    if (shared)
      subjects[i].label = fmt::format("{} ({})", name, to_hex(subjects[i].facts->entry.id));
  }
}

}  // namespace

std::optional<std::size_t> Look::index_of(MemberId id) const {
  if (id.none()) return std::nullopt;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    if (subjects[i].facts->entry.id == id) return i;
  }
  return std::nullopt;
}

std::string Look::label_of(MemberId id) const {
  if (const auto index = index_of(id)) return subjects[*index].label;
  const auto entry = std::ranges::find(seen.membership.members, id, &model::MemberEntry::id);
  if (entry != seen.membership.members.end() && entry->started()) return entry->name;
  return to_hex(id);
}

Duration Look::answer_window() const {
  if (!seen.pulse_on) return 2 * Duration(options.health_check_interval) + seconds(5);
  return 2 * Duration(options.pulse_interval) + milliseconds(500);
}

Duration Look::page_window() const {
  return 5 * Duration(options.metrics_interval) / 2 + seconds(5);
}

Look look_at(const model::Observation& seen, const JudgeOptions& options) {
  Look look{
      seen, options, seen.at.steady, {}, 0, 0, 0, seen.round_void && seen.loop_lag >= kOwnLag};
  const auto& list = seen.membership.members;
  for (const auto& entry : list) ++(entry.learner ? look.learners : look.voters);
  look.quorum = list.empty() ? 0 : look.voters / 2 + 1;

  look.subjects.reserve(seen.members.size());
  for (const auto& facts : seen.members) {
    Subject subject;
    subject.facts = &facts;
    subject.label = own_label(facts);
    subject.identified = !facts.entry.id.none();
    subject.learner = facts.entry.learner;
    subject.listed = subject.identified && list.empty();
    const auto entry = std::ranges::find(list, facts.entry.id, &model::MemberEntry::id);
    if (subject.identified && entry != list.end()) {
      subject.listed = true;
      subject.learner = entry->learner;
    }
    subject.voter = subject.listed && !subject.learner;
    look.subjects.push_back(std::move(subject));
  }
  make_labels_unique(look.subjects);
  return look;
}

void align_memory(const Look& look, JudgeState& state) {
  const auto is_of = [](const MemberMemory& memory, const model::MemberFacts& facts) {
    return memory.id == facts.entry.id && (!memory.id.none() || memory.endpoint == facts.endpoint);
  };
  const auto& facts = look.seen.members;
  const bool same =
      facts.size() == state.members.size() && std::ranges::equal(state.members, facts, is_of);
  if (same) return;

  std::vector<MemberMemory> aligned;
  aligned.reserve(facts.size());
  for (const auto& member : facts) {
    const auto known = std::ranges::find_if(
        state.members, [&](const MemberMemory& memory) { return is_of(memory, member); });
    if (known != state.members.end()) {
      aligned.push_back(std::move(*known));
      // A moved-from memory must not be found twice.
      known->id = MemberId{};
      known->endpoint.clear();
      continue;
    }
    MemberMemory fresh;
    fresh.id = member.entry.id;
    if (fresh.id.none()) fresh.endpoint = member.endpoint;
    fresh.first_seen = look.now;
    fresh.reach.since = look.now;
    // Who was in the list when we first saw it has been there before; later ones have just joined.
    const auto& known_list = state.told.members;
    const bool joined =
        !known_list.empty() &&
        std::ranges::find(known_list, fresh.id, &model::MemberEntry::id) == known_list.end();
    if (joined) fresh.reach.stirred = look.now;
    aligned.push_back(std::move(fresh));
  }
  state.members = std::move(aligned);
}

void remember_answers(const Look& look, std::span<MemberMemory> memory) {
  for (std::size_t i = 0; i < memory.size(); ++i) {
    const auto& facts = *look.subjects[i].facts;
    auto& answer = memory[i].answer;
    if (!facts.status) {
      answer = AnswerMemory{};
      continue;
    }
    if (facts.answers == answer.answers && answer.agreeing > 0) continue;
    const bool first = answer.agreeing == 0;
    answer.agreeing = !first && facts.status->leader == answer.leader ? answer.agreeing + 1 : 1;
    answer.still =
        !first && facts.status->raft_applied_index == answer.applied ? answer.still + 1 : 1;
    if (answer.agreeing == 1) answer.leader_since = look.now;
    answer.answers = facts.answers;
    answer.leader = facts.status->leader;
    answer.applied = facts.status->raft_applied_index;
  }
}

void notice_own_sleep(Look& look, const EventMemory& told, MonitorMemory& monitor) {
  if (!look.seen.pulse_on || !told.at) return;
  const Duration gap = look.now - told.at->steady;
  if (gap > 2 * look.pulse() + kLooksLate) {
    monitor.asleep_until_round = look.seen.pulse_rounds + 1;
    monitor.lag = gap;
  }
  look.lagged = look.lagged || look.seen.pulse_rounds + 1 == monitor.asleep_until_round;
}

bool is_fresh(const Look& look, const Subject& subject, const MemberMemory& memory) {
  const auto& status = subject.facts->status;
  return status && memory.reach.reach == model::Reach::kReachable &&
         look.now - status->received <= look.answer_window();
}

bool is_proven_dead(const ReachMemory& reach) {
  return reach.reach == model::Reach::kHung ||
         (reach.reach == model::Reach::kUnreachable && reach.cause == Cause::kRefused);
}

std::string describe(const Subject& subject, const ReachMemory& reach) {
  switch (reach.reach) {
    case model::Reach::kUnreachable:
      return reach.cause == Cause::kNone
                 ? fmt::format("{} unreachable", subject.label)
                 : fmt::format("{} unreachable ({})", subject.label, name_of(reach.cause));
    case model::Reach::kUnstarted:
      return fmt::format("{} never started", subject.label);
    case model::Reach::kBackendBusy:
      return fmt::format("{} busy", subject.label);
    case model::Reach::kNotAuthorised:
      return fmt::format("{} not authorised", subject.label);
    case model::Reach::kMisAddressed:
      return fmt::format("{} mis-addressed", subject.label);
    default:
      return fmt::format("{} {}", subject.label, name_of(reach.reach));
  }
}

std::string join_names(const std::vector<std::string>& names) {
  std::string joined;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) joined += i + 1 == names.size() ? " and " : ", ";
    joined += names[i];
  }
  return joined;
}

void Findings::add(model::Verdict verdict) {
  if (verdict.since == SteadyTime{}) verdict.since = now_;
  const auto is_same = [&](const model::Verdict& other) {
    return other.check == verdict.check && other.subject == verdict.subject;
  };
  const auto earlier = std::ranges::find_if(before_, is_same);
  if (earlier != before_.end()) verdict.since = earlier->since;
  const auto twin = std::ranges::find_if(found_, is_same);
  if (twin == found_.end()) {
    found_.push_back(std::move(verdict));
  } else if (verdict.severity > twin->severity) {
    *twin = std::move(verdict);
  }
}

std::vector<model::Verdict> Findings::take() {
  std::ranges::sort(found_, [](const model::Verdict& a, const model::Verdict& b) {
    if (a.severity != b.severity) return a.severity > b.severity;
    if (a.check != b.check) return a.check < b.check;
    return a.subject < b.subject;
  });
  return std::move(found_);
}

const PendingEntry& Pending::seen(model::Check check, std::string_view subject, std::uint64_t stamp,
                                  SteadyTime now) {
  auto entry = std::ranges::find_if(
      entries_, [&](const PendingEntry& e) { return e.check == check && e.subject == subject; });
  if (entry == entries_.end()) {
    entries_.push_back({check, std::string(subject), now, stamp, 0, false});
    entry = std::prev(entries_.end());
  }
  if (entry->samples == 0 || entry->stamp != stamp) {
    entry->stamp = stamp;
    ++entry->samples;
  }
  entry->touched = true;
  return *entry;
}

void Pending::begin_look() {
  for (auto& entry : entries_) entry.touched = false;
}

void Pending::end_look() {
  std::erase_if(entries_, [](const PendingEntry& entry) { return !entry.touched; });
}

}  // namespace etcdmon::collect
