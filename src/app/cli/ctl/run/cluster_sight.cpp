#include "app/cli/ctl/run/cluster_sight.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "async/when_all.hpp"
#include "etcd/maintenance.hpp"
#include "etcd/membership.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

// A member that is up answers in milliseconds; one that defragments counts as down.
constexpr std::chrono::milliseconds kAnswerBy{2'000};
// etcd itself refuses requests when a member is 5000 entries behind.
constexpr std::uint64_t kFarBehind = 5'000;

// Whichever of its URLs answers.
Task<> ask(Session& session, MemberSight& member) {
  for (const auto& url : member.client_urls) {
    const auto endpoint = session.only(url);
    if (!endpoint) continue;
    etcd::Maintenance maintenance(*endpoint->channel);
    const auto status = co_await maintenance.status(std::chrono::steady_clock::now() + kAnswerBy);
    if (!status || status->header().member_id() != member.id.value) continue;
    member.up = true;
    member.leads = status->leader() == member.id.value;
    member.applied = status->raft_applied_index();
    member.version = status->version();
    member.db_size = status->db_size();
    member.db_size_in_use = status->db_size_in_use();
    member.db_size_quota = status->db_size_quota();
    co_return;
  }
}

std::string unstarted(const ClusterSight& sight) {
  for (const auto& member : sight.members) {
    if (member.name.empty())
      return fmt::format("Member {} was added and has not started yet: start or remove it first.",
                         to_hex(member.id));
  }
  return {};
}

std::string megabytes(std::int64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

}  // namespace

std::string MemberSight::title() const {
  return fmt::format("{} ({})", name.empty() ? "unstarted" : name, to_hex(id));
}

std::size_t ClusterSight::voters() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(members, [](const auto& member) { return !member.learner; }));
}

std::size_t ClusterSight::voters_up() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      members, [](const auto& member) { return !member.learner && member.up; }));
}

const MemberSight* ClusterSight::find(MemberId id) const {
  const auto found = std::ranges::find(members, id, &MemberSight::id);
  return found == members.end() ? nullptr : &*found;
}

std::uint64_t ClusterSight::newest_applied() const {
  std::uint64_t newest = 0;
  for (const auto& member : members) newest = std::max(newest, member.applied);
  return newest;
}

std::string arithmetic(std::size_t voters, std::size_t up) {
  const auto quorum = quorum_of(voters);
  const std::string left = up < quorum    ? "the cluster stops"
                           : up == quorum ? "no room for a failure"
                                          : fmt::format("{} more may fail", up - quorum);
  return fmt::format("{} of {} voters up, quorum is {}: {}", up, voters, quorum, left);
}

Task<Result<ClusterSight>> look(Session& session) {
  etcd::Membership membership(session.cluster());
  const auto list = co_await membership.list(etcd::Consistency::kLinearizable, session.deadline());
  if (!list) co_return with_context(list.error(), "looking at the cluster first");
  ClusterSight sight;
  for (const auto& member : list->members()) {
    sight.members.push_back(
        {.id = MemberId{member.id()},
         .name = member.name(),
         .client_urls = {member.client_urls().begin(), member.client_urls().end()},
         .learner = member.is_learner()});
  }
  std::vector<Task<>> asking;
  for (auto& member : sight.members) asking.push_back(ask(session, member));
  co_await async::when_all(std::move(asking));
  co_return sight;
}

Plan plan_to_remove(const ClusterSight& sight, MemberId id) {
  const auto* member = sight.find(id);
  if (member == nullptr) {
    return {.lines = {fmt::format("{} is no member of this cluster.", to_hex(id))},
            .question = fmt::format("Remove {} all the same?", to_hex(id))};
  }
  Plan plan{.question = fmt::format("Remove {}?", member->title())};
  const auto voters = sight.voters();
  const auto up = sight.voters_up();
  plan.lines.push_back(fmt::format("Now: {}.", arithmetic(voters, up)));
  if (member->learner) {
    plan.lines.emplace_back("It is a learner: the quorum does not change.");
    return plan;
  }
  const auto voters_then = voters - 1;
  const auto up_then = up - (member->up ? 1U : 0U);
  plan.lines.push_back(fmt::format("After removing {}{}: {}.", member->title(),
                                   member->leads ? ", the leader" : "",
                                   arithmetic(voters_then, up_then)));
  if (voters_then == 0) {
    plan.danger = "it is the only voter";
  } else if (up_then < quorum_of(voters_then)) {
    plan.danger = fmt::format("removing {} would lose the quorum: {} of {} voters would be up",
                              member->title(), up_then, voters_then);
  } else if (member->up && up < voters) {
    plan.lines.emplace_back("Another voter is down: remove that one, or bring it back, first.");
  }
  return plan;
}

Plan plan_to_add(const ClusterSight& sight, const std::string& name, bool learner) {
  Plan plan{.question = fmt::format("Add {}?", name)};
  const auto voters = sight.voters();
  const auto up = sight.voters_up();
  plan.lines.push_back(fmt::format("Now: {}.", arithmetic(voters, up)));
  if (auto line = unstarted(sight); !line.empty()) plan.lines.push_back(std::move(line));
  if (learner) {
    plan.lines.emplace_back(
        "A learner does not vote: the quorum does not change until it is "
        "promoted.");
    return plan;
  }
  plan.lines.push_back(
      fmt::format("After adding {}, until it has started: {}.", name, arithmetic(voters + 1, up)));
  if (up < voters)
    plan.lines.emplace_back("A voter is down: to replace it, remove it before adding another.");
  if (up < quorum_of(voters + 1)) {
    plan.danger = fmt::format(
        "adding a voter would lose the quorum until it has started: {} of {} voters would be up",
        up, voters + 1);
  } else {
    plan.lines.emplace_back("With --learner it first catches up without a vote.");
  }
  return plan;
}

std::vector<MemberId> defragment_order(const ClusterSight& sight,
                                       std::vector<std::string>& skipped) {
  std::vector<MemberId> order;
  std::vector<MemberId> leader;
  const auto newest = sight.newest_applied();
  for (const auto& member : sight.members) {
    if (member.learner) {
      skipped.push_back(fmt::format("{} is skipped: it is a learner.", member.title()));
    } else if (member.up && newest - member.applied > kFarBehind) {
      skipped.push_back(
          fmt::format("{} is skipped: it is {} entries behind and may be receiving a snapshot.",
                      member.title(), newest - member.applied));
    } else {
      (member.leads ? leader : order).push_back(member.id);
    }
  }
  order.insert(order.end(), leader.begin(), leader.end());
  return order;
}

Plan plan_to_defragment(const ClusterSight& sight, const std::vector<MemberId>& order) {
  Plan plan{.question =
                fmt::format("Defragment {} member{}?", order.size(), order.size() == 1 ? "" : "s")};
  const auto voters = sight.voters();
  const auto up = sight.voters_up();
  plan.lines.push_back(fmt::format("Now: {}.", arithmetic(voters, up)));
  for (const auto id : order) {
    const auto* member = sight.find(id);
    if (member == nullptr) continue;
    plan.lines.push_back(
        fmt::format("{}{}: {}, in use {}; it answers nothing while it is defragmented.",
                    member->title(), member->leads ? ", the leader" : "",
                    megabytes(member->db_size), megabytes(member->db_size_in_use)));
  }
  if (up < voters) {
    plan.danger = fmt::format("{} of {} voters are down", voters - up, voters);
  } else if (voters > 1 && up - 1 < quorum_of(voters)) {
    plan.danger = fmt::format("{} voters have no quorum while one of them is defragmented", voters);
  }
  return plan;
}

}  // namespace etcdmon::app::cli::ctl
