#include "collect/judge/judge_testing.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace etcdmon::collect::testing {

using model::LinkFacts;
using model::MemberFacts;

namespace {

const Error kRefusedError{ErrorCode::kUnavailable, "connect: connection refused", Cause::kRefused};
const Error kTimeoutError{ErrorCode::kDeadlineExceeded, "no answer within 900ms", Cause::kTimeout};
const Error kDenied{ErrorCode::kPermissionDenied, "etcdserver: permission denied", Cause::kNone};
const Error kUnknownToken{ErrorCode::kUnauthenticated, "etcdserver: invalid auth token",
                          Cause::kNone};

bool refuses(Mode mode) {
  return mode == Mode::kNotAllowed || mode == Mode::kNoToken;
}

model::MemberEntry entry_of(MemberId id, const std::string& name, bool learner, bool started) {
  const auto host = "10.0.0." + std::to_string(id.value);
  model::MemberEntry entry{id, started ? name : "", {"http://" + host + ":2380"}, {}, learner};
  if (started) entry.client_urls = {"http://" + host + ":2379"};
  return entry;
}

}  // namespace

Scene::Scene(int voters, int learners) {
  seen.cluster = "test";
  seen.membership.cluster_id = ClusterId{77};
  for (int i = 0; i < voters + learners; ++i) {
    add(std::string(1, static_cast<char>('a' + i)), i >= voters, true);
  }
}

void Scene::add(const std::string& name, bool learner, bool started) {
  SimMember member;
  member.entry = entry_of(id(name), name, learner, started);
  member.mode = started ? Mode::kUp : Mode::kUnstarted;
  member.leader = members_.empty() ? id("a") : members_.front().leader;
  member.term = members_.empty() ? 5 : members_.front().term;
  member.applied = 100;
  member.revision = 50;
  MemberFacts facts;
  facts.entry = member.entry;
  if (started) facts.endpoint = member.entry.client_urls.front();
  facts.link.since = now_;
  seen.members.push_back(facts);
  seen.membership.members.push_back(member.entry);
  members_.push_back(std::move(member));
}

void Scene::remove(const std::string& name) {
  std::erase_if(members_, [&](const SimMember& m) { return m.entry.id == id(name); });
  std::erase_if(seen.members, [&](const MemberFacts& f) { return f.entry.id == id(name); });
  std::erase_if(seen.membership.members,
                [&](const model::MemberEntry& e) { return e.id == id(name); });
}

SimMember& Scene::operator[](const std::string& name) {
  return *std::ranges::find_if(members_,
                               [&](const SimMember& m) { return m.entry.id == id(name); });
}

MemberFacts& Scene::facts_of(const SimMember& member) {
  return *std::ranges::find_if(seen.members,
                               [&](const MemberFacts& f) { return f.entry.id == member.entry.id; });
}

void Scene::follow(const std::vector<std::string>& followers, const std::string& leader,
                   std::uint64_t term) {
  for (const auto& name : followers) {
    (*this)[name].leader = leader.empty() ? MemberId{} : id(leader);
    (*this)[name].term = term;
  }
}

void Scene::cut_one_way(const std::string& from, const std::string& to) {
  cuts_.emplace(id(from), id(to));
}

void Scene::cut(const std::string& a, const std::string& b) {
  cut_one_way(a, b);
  cut_one_way(b, a);
}

void Scene::heal() {
  cuts_.clear();
}

void Scene::kill(const std::string& name) {
  auto& member = (*this)[name];
  auto& facts = facts_of(member);
  member.mode = Mode::kDead;
  now_ = std::max(now_, seen.at.steady) + 5ms;
  facts.link.last_ended = now_;
  facts.link.state = LinkFacts::State::kDown;
  facts.link.since = now_;
  facts.link.failures = 1;
  facts.link.last_error = kRefusedError;
  judge_now(1ms);
}

void Scene::start(const std::string& name) {
  auto& member = (*this)[name];
  member.mode = Mode::kUp;
  member.start_time += 100;
  beats_.erase(member.entry.id);
  std::erase_if(peers_, [&](const auto& link) { return link.first.first == member.entry.id; });
}

void Scene::link_up(MemberFacts& facts) {
  if (facts.link.state == LinkFacts::State::kUp) return;
  facts.link.state = LinkFacts::State::kUp;
  facts.link.since = now_;
  facts.link.last_up = now_;
  facts.link.failures = 0;
  ++facts.link.connects;
}

void Scene::answer(SimMember& member, MemberFacts& facts) {
  link_up(facts);
  member.silent_steps = 0;
  facts.missed = 0;
  facts.pulse = model::ProbeOutcome{now_, now_ + 2ms, {}};
  facts.answered_by = member.stranger.first;
  facts.answered_cluster = member.stranger.second;
  if (!member.stranger.first.none()) {
    facts.status.reset();
    return;
  }
  model::StatusSample status;
  status.sent = now_;
  status.received = now_ + 2ms;
  status.cluster_id = *seen.membership.cluster_id;
  status.member_id = member.entry.id;
  status.version = member.version;
  status.leader = member.leader;
  status.raft_term = member.term;
  status.raft_index = status.raft_applied_index = member.applied;
  status.revision = member.revision;
  status.learner = member.entry.learner;
  status.errors = member.errors;
  if (member.leader.none()) status.errors.emplace_back("etcdserver: no leader");
  facts.status = std::move(status);
  ++facts.answers;
}

void Scene::miss(SimMember& member, MemberFacts& facts) {
  ++member.silent_steps;
  ++facts.missed;
  if (member.mode == Mode::kDead) {
    if (facts.link.state == LinkFacts::State::kUp) facts.link.last_ended = now_;
    facts.link.state = LinkFacts::State::kDown;
    facts.link.since = now_;
    ++facts.link.failures;
    facts.link.last_error = kRefusedError;
    facts.pulse = model::ProbeOutcome{now_, now_ + 1ms, kRefusedError};
    return;
  }
  facts.pulse = model::ProbeOutcome{now_, now_ + 900ms, kTimeoutError};
  // TCP gives the connection up after a while, and nobody answers the redial.
  if (member.mode == Mode::kBlackHoled && member.silent_steps > 10) {
    if (facts.link.state == LinkFacts::State::kUp) facts.link.last_ended = now_;
    facts.link.state = LinkFacts::State::kDown;
    facts.link.since = now_;
    ++facts.link.failures;
    facts.link.last_error = kTimeoutError;
  }
}

void Scene::pulse(SimMember& member, MemberFacts& facts) {
  switch (member.mode) {
    case Mode::kUp:
      return answer(member, facts);
    case Mode::kUnstarted:
      return;
    case Mode::kNotAllowed:
    case Mode::kNoToken:
      link_up(facts);
      facts.missed = 0;
      facts.pulse = model::ProbeOutcome{now_, now_ + 2ms,
                                        member.mode == Mode::kNoToken ? kUnknownToken : kDenied};
      return;
    default:
      return miss(member, facts);
  }
}

void Scene::scrape(SimMember& member, MemberFacts& facts) {
  const bool answers =
      member.mode == Mode::kUp || member.mode == Mode::kBusy || refuses(member.mode);
  if (!answers || !member.metrics) {
    facts.scrape = model::ProbeOutcome{now_, now_ + 500ms,
                                       member.mode == Mode::kDead ? kRefusedError : kTimeoutError};
    return;
  }
  model::MetricsFacts page;
  page.at = now_ + 5ms;
  page.process_start_time = member.start_time;
  page.has_leader = !member.leader.none();
  page.is_leader = member.leader == member.entry.id;
  page.defrag_inflight = member.defragmenting;
  for (const auto& other : members_) {
    if (other.entry.id == member.entry.id || other.mode == Mode::kUnstarted) continue;
    const std::pair link{member.entry.id, other.entry.id};
    auto& peer = peers_[link];
    peer.id = other.entry.id;
    const bool alive = other.mode != Mode::kDead && (blind || other.mode != Mode::kStopped);
    const bool active = alive && (blind || !cuts_.contains(link));
    if (peer.active.value_or(0) > 0 && !active) ++peer.disconnected_total;
    peer.active = active ? 1 : 0;
    peer.rtt_count = peer.rtt_count.value_or(0) + (active && !cuts_.contains(link) ? 2 : 0);
    peer.rtt_sum_seconds = *peer.rtt_count * 0.0005;
    page.peers.push_back(peer);
  }
  page.link_beat_bytes = beats_[member.entry.id];
  facts.metrics = std::move(page);
  facts.scrape = model::ProbeOutcome{now_, now_ + 5ms, {}};
}

void Scene::flow() {
  const auto until = [](SteadyTime at) {
    constexpr std::chrono::milliseconds kBeat{1'667};
    return static_cast<double>(at.time_since_epoch() / kBeat);
  };
  const double beats = until(now_) - until(flowed_);
  const double seconds = std::chrono::duration<double>(now_ - flowed_).count();
  flowed_ = now_;
  const auto runs = [](const SimMember& member) {
    return member.mode != Mode::kDead && member.mode != Mode::kStopped &&
           member.mode != Mode::kUnstarted;
  };
  for (const auto& to : members_) {
    for (const auto& from : members_) {
      const std::pair link{to.entry.id, from.entry.id};
      if (link.first == link.second || !runs(to) || !runs(from) || cuts_.contains(link)) continue;
      beats_[link.first] += 60 * beats;
      const bool one_leads = to.leader == link.first || from.leader == link.second;
      const bool seeks = from.leader.none() && !from.entry.learner;
      if (!from.stuck && (one_leads || seeks))
        peers_[link].received_bytes_total += std::floor((one_leads ? 470 : 47) * seconds);
    }
  }
}

bool Scene::reads_succeed(const SimMember& member) {
  if (member.reads) return *member.reads;
  if (member.leader.none()) return false;
  int voters = 0;
  int followers = 0;
  for (const auto& other : members_) {
    if (other.entry.learner) continue;
    ++voters;
    const bool works = other.mode == Mode::kUp || other.mode == Mode::kBusy ||
                       refuses(other.mode) || other.mode == Mode::kBlackHoled;
    if (works && other.leader == member.leader) ++followers;
    if (other.entry.id == member.leader && !works) return false;
  }
  return followers > voters / 2;
}

void Scene::read(SimMember& member, MemberFacts& facts) {
  if (refuses(member.mode)) {
    facts.linearizable_read = facts.serializable_read = model::ProbeOutcome{
        now_, now_ + 2ms, member.mode == Mode::kNoToken ? kUnknownToken : kDenied};
    return;
  }
  if (member.mode != Mode::kUp) return;
  facts.serializable_read = model::ProbeOutcome{now_, now_ + 2ms, {}};
  if (member.entry.learner) return;
  const bool ok = reads_succeed(member);
  facts.linearizable_read = model::ProbeOutcome{now_, now_ + (ok ? 3ms : 800ms),
                                                ok ? std::nullopt : std::optional(kTimeoutError)};
}

bool Scene::in_doubt() {
  const auto claims = std::ranges::count_if(seen.members, [](const MemberFacts& facts) {
    return facts.status && facts.status->is_leader();
  });
  if (claims > 1) return true;
  return std::ranges::any_of(seen.members, [](const MemberFacts& facts) {
    if (facts.entry.learner) return false;
    if (!facts.pulse || !facts.pulse->ok()) return true;
    if (facts.status && facts.status->leader.none()) return true;
    return facts.linearizable_read && !facts.linearizable_read->ok();
  });
}

void Scene::run(int steps) {
  for (int i = 0; i < steps; ++i, ++steps_) {
    now_ += 1s;
    flow();
    const bool health = steps_ % 30 == 0;
    // As the collector does: while somebody is silent or leaderless, every pulse brings a read.
    const bool doubt = health || in_doubt();
    for (auto& member : members_) {
      auto& facts = facts_of(member);
      facts.entry = member.entry;
      pulse(member, facts);
      if (member.mode == Mode::kUnstarted) continue;
      const bool closer = closer_ && facts.scrape && now_ - facts.scrape->sent >= 2s;
      const bool urgent = facts.missed == 1 || closer;
      if (steps_ % 10 == static_cast<int>(member.entry.id.value) % 10 || urgent || steps_ == 0)
        scrape(member, facts);
      if (doubt) read(member, facts);
    }
    if (health) {
      seen.membership.confirmed_at = now_;
      seen.last_health_check = now_;
    }
    ++seen.pulse_rounds;
    judge_now(910ms);
    seen.round_void = false;
    seen.loop_lag = Duration(0);
  }
}

void Scene::look() {
  now_ = std::max(now_, seen.at.steady);
  judge_now(0ms);
}

void Scene::stall(std::chrono::seconds duration) {
  now_ = std::max(now_, seen.at.steady) + duration;
  flow();
  for (auto& facts : seen.members) facts.asked_since = now_ - duration;
  judge_now(1ms);  // some other timer fires first
  seen.round_void = true;
  seen.loop_lag = duration;
  ++seen.voided_rounds;
  judge_now(2ms);
  for (auto& facts : seen.members) facts.asked_since.reset();
}

void Scene::judge_now(std::chrono::milliseconds after) {
  const SteadyTime at = now_ + after;
  seen.at = Now{at, WallTime(at.time_since_epoch() + wall_offset_)};
  auto result = judge(std::move(state_), seen, options);
  state_ = std::move(result.state);
  found = std::move(result.assessment);
  closer_ = result.closer_look;
  told_.insert(told_.end(), result.events.begin(), result.events.end());
  check_invariants();
}

void Scene::check_invariants() {
  std::set<std::pair<model::Check, std::string>> keys;
  const auto blame = [this](const std::string& what) { trouble += what + "; "; };
  for (const auto& verdict : found.verdicts) {
    if (!keys.emplace(verdict.check, verdict.subject).second)
      blame("two verdicts " + std::string(name_of(verdict.check)));
    if (verdict.summary.empty() || verdict.summary.ends_with('.') ||
        verdict.summary.find('\n') != std::string::npos) {
      blame("summary \"" + verdict.summary + "\"");
    }
    if (verdict.since > seen.at.steady) blame("since lies in the future");
  }
  if (!std::ranges::is_sorted(found.verdicts, std::greater<>(), &model::Verdict::severity))
    blame("not sorted");
  if (found.members.size() != seen.members.size()) blame("members are missing");
  if (found.quorum.failures_tolerated < 0 || found.quorum.available > found.quorum.voters)
    blame("quorum sums");
  const auto n = found.peers.members.size();
  if (found.peers.cells.size() != n * n || found.peers.rtt_ms.size() != n * n) blame("matrix size");
}

bool Scene::has(model::Check check, const std::string& subject) const {
  return std::ranges::any_of(
      found.verdicts, [&](const auto& v) { return v.check == check && v.subject == subject; });
}

const model::Verdict& Scene::verdict(model::Check check, const std::string& subject) const {
  static const model::Verdict kNoSuch{};
  const auto it = std::ranges::find_if(
      found.verdicts, [&](const auto& v) { return v.check == check && v.subject == subject; });
  if (it == found.verdicts.end())
    ADD_FAILURE() << "no " << name_of(check) << "(" << subject << ") in " << problems();
  return it == found.verdicts.end() ? kNoSuch : *it;
}

std::string Scene::problems() const {
  std::string text;
  for (const auto& verdict : found.verdicts) {
    if (verdict.severity == model::Severity::kInfo) continue;
    if (!text.empty()) text += " ";
    text += std::string(name_of(verdict.check)) + "(" + verdict.subject + ")";
  }
  return text;
}

model::Reach Scene::reach(const std::string& name) const {
  const auto it = std::ranges::find(found.members, id(name), &model::MemberAssessment::id);
  return it == found.members.end() ? model::Reach::kUnknown : it->reach;
}

std::vector<model::EventKind> Scene::events() const {
  std::vector<model::EventKind> kinds;
  for (const auto& event : told_) kinds.push_back(event.kind);
  return kinds;
}

std::string Scene::event_texts() const {
  std::string text;
  for (const auto& event : told_) text += event.text + "\n";
  return text;
}

}  // namespace etcdmon::collect::testing
