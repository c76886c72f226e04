// What a change would do to the quorum, as the operator is told before it is made.
#include "app/cli/ctl/run/cluster_sight.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::app::cli::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

MemberSight voter(std::uint64_t id, bool up = true, bool leads = false) {
  return {.id = MemberId{id},
          .name = "m" + std::to_string(id),
          .up = up,
          .leads = leads,
          .applied = up ? 100'000U : 0U};
}

MemberSight learner(std::uint64_t id) {
  auto member = voter(id);
  member.learner = true;
  return member;
}

std::string text_of(const Plan& plan) {
  std::string out;
  for (const auto& line : plan.lines) out += line + "\n";
  return out;
}

TEST(Arithmetic, SaysHowManyMoreMayFail) {
  EXPECT_EQ(arithmetic(3, 3), "3 of 3 voters up, quorum is 2: 1 more may fail");
  EXPECT_EQ(arithmetic(3, 2), "2 of 3 voters up, quorum is 2: no room for a failure");
  EXPECT_EQ(arithmetic(4, 2), "2 of 4 voters up, quorum is 3: the cluster stops");
  EXPECT_EQ(arithmetic(1, 1), "1 of 1 voters up, quorum is 1: no room for a failure");
}

struct RemoveCase {
  const char* name;
  ClusterSight sight;
  std::uint64_t removed;
  const char* danger;  ///< empty: none
  const char* says;
};

TEST(PlanToRemove, IsDangerousWhereTheQuorumWouldBeLost) {
  const RemoveCase cases[] = {
      {"OneOfThree", {{voter(1), voter(2), voter(3)}}, 2, "", "2 of 2 voters up"},
      {"TheDeadOne", {{voter(1), voter(2), voter(3, false)}}, 3, "", "no room for a failure"},
      {"ALivingOneWhileAnotherIsDead",
       {{voter(1), voter(2), voter(3, false)}},
       2,
       "would lose the quorum: 1 of 2",
       "the cluster stops"},
      {"OfFiveWithOneDead",
       {{voter(1), voter(2), voter(3), voter(4), voter(5, false)}},
       1,
       "",
       "Another voter is down"},
      {"TheOnlyOne", {{voter(1)}}, 1, "it is the only voter", "After removing"},
      {"ALearner", {{voter(1), voter(2), learner(3)}}, 3, "", "does not change"},
      {"TheLeader", {{voter(1), voter(2, true, true), voter(3)}}, 2, "", "the leader"},
      {"AStranger", {{voter(1)}}, 9, "", "no member of this cluster"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto plan = plan_to_remove(c.sight, MemberId{c.removed});
    EXPECT_THAT(text_of(plan), HasSubstr(c.says));
    if (*c.danger == '\0') {
      EXPECT_THAT(plan.danger, IsEmpty());
    } else {
      EXPECT_THAT(plan.danger, HasSubstr(c.danger));
    }
  }
}

TEST(PlanToAdd, CountsTheNewOneAsDownUntilItHasStarted) {
  const ClusterSight all_up{{voter(1), voter(2), voter(3)}};
  const auto fourth = plan_to_add(all_up, "m4", false);
  EXPECT_THAT(fourth.danger, IsEmpty());
  EXPECT_THAT(text_of(fourth), HasSubstr("3 of 4 voters up, quorum is 3: no room"));
  EXPECT_THAT(text_of(fourth), HasSubstr("--learner"));

  const ClusterSight one_down{{voter(1), voter(2), voter(3, false)}};
  const auto replacement = plan_to_add(one_down, "m4", false);
  EXPECT_THAT(replacement.danger, HasSubstr("2 of 4 voters"));
  EXPECT_THAT(text_of(replacement), HasSubstr("remove it before adding another"));
  EXPECT_THAT(plan_to_add(one_down, "m4", true).danger, IsEmpty());

  const ClusterSight single{{voter(1)}};
  EXPECT_THAT(plan_to_add(single, "m2", false).danger, HasSubstr("1 of 2"));

  auto waiting = all_up;
  waiting.members.push_back(MemberSight{.id = MemberId{0xab}});
  EXPECT_THAT(text_of(plan_to_add(waiting, "m5", false)), HasSubstr("ab was added and has not"));
}

TEST(DefragmentOrder, LeaderLastLearnersAndThoseBehindNot) {
  auto behind = voter(4);
  behind.applied = 10;
  const ClusterSight sight{{voter(1, true, true), voter(2), voter(3), behind, learner(5)}};
  std::vector<std::string> skipped;
  const auto order = defragment_order(sight, skipped);
  EXPECT_THAT(order, ElementsAre(MemberId{2}, MemberId{3}, MemberId{1}));
  EXPECT_THAT(skipped, ElementsAre(HasSubstr("receiving a snapshot"), HasSubstr("learner")));
}

TEST(PlanToDefragment, IsRefusedWhileAVoterIsDown) {
  const ClusterSight well{{voter(1), voter(2), voter(3)}};
  EXPECT_THAT(plan_to_defragment(well, {MemberId{1}}).danger, IsEmpty());
  const ClusterSight sick{{voter(1), voter(2), voter(3, false)}};
  EXPECT_THAT(plan_to_defragment(sick, {MemberId{1}}).danger, HasSubstr("1 of 3 voters are down"));
  const ClusterSight two{{voter(1), voter(2)}};
  EXPECT_THAT(plan_to_defragment(two, {MemberId{1}}).danger, HasSubstr("no quorum while one"));
  // A single member cannot lose what it does not have.
  const ClusterSight single{{voter(1)}};
  EXPECT_THAT(plan_to_defragment(single, {MemberId{1}}).danger, IsEmpty());
}

}  // namespace
}  // namespace etcdmon::app::cli::ctl
