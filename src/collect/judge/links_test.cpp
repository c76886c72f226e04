// Links that are cut while etcd goes on counting the peers behind them as active.
#include <algorithm>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/judge/judge_testing.hpp"

namespace etcdmon::collect {
namespace {

using model::Check;
using model::PartitionKind;
using testing::Mode;
using testing::Scene;

std::string cut_names(const Scene& scene) {
  std::string names;
  const auto name = [](MemberId id) { return static_cast<char>('a' + id.value - 1); };
  for (const auto& [from, to] : scene.found.partition.cut_links) {
    if (from > to) continue;
    if (!names.empty()) names += " ";
    names += {name(from), '-', name(to)};
  }
  return names;
}

struct Cut {
  const char* name;
  int voters;
  int learners;
  std::vector<std::pair<const char*, const char*>> links;
  std::function<void(Scene&)> then;  ///< what raft makes of it
  const char* says;
  const char* text;
  int within;  ///< seconds
};

std::ostream& operator<<(std::ostream& out, const Cut& cut) {
  return out << cut.name;
}

void nothing(Scene&) {}

class BlindCut : public ::testing::TestWithParam<Cut> {};

// At every place of the pages' rhythm.
TEST_P(BlindCut, IsNamedInTimeAndHeals) {
  const auto& cut = GetParam();
  for (int offset = 0; offset < 10; ++offset) {
    Scene scene(cut.voters, cut.learners);
    scene.blind = true;
    scene.run(40 + offset);
    ASSERT_EQ(scene.problems(), "");
    for (const auto& [a, b] : cut.links) scene.cut(a, b);
    scene.run(2);
    cut.then(scene);
    int took = 2;
    while (cut_names(scene) != cut.says && took < 40) {
      scene.run(1);
      ++took;
    }
    EXPECT_LE(took, cut.within) << "offset " << offset << ": " << cut_names(scene);
    EXPECT_EQ(scene.found.partition.text, cut.text);
    for (int i = 0; i < 30; ++i) {
      scene.run(1);
      ASSERT_EQ(cut_names(scene), cut.says) << "offset " << offset << ", second " << i;
    }
    EXPECT_EQ(scene.problems(), "Partition()");
    scene.heal();
    scene.follow({"a", "b", "c"}, scene.found.leader.name, 9);
    if (cut.voters == 5) scene.follow({"d", "e"}, scene.found.leader.name, 9);
    scene.run(25);
    EXPECT_EQ(scene.problems(), "") << "offset " << offset;
    EXPECT_FALSE(scene.found.partition.suspected);
    EXPECT_EQ(scene.trouble, "");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, BlindCut,
    ::testing::Values(
        Cut{"TwoFollowers",
            3,
            0,
            {{"b", "c"}},
            nothing,
            "b-c",
            "b and c do not see each other",
            15},
        Cut{"FollowerFromLeader",
            3,
            0,
            {{"a", "c"}},
            [](Scene& scene) { scene.follow({"c"}, "", 5); },
            "a-c",
            "a and c do not see each other",
            12},
        Cut{"IsolatedFollower",
            3,
            0,
            {{"a", "c"}, {"b", "c"}},
            [](Scene& scene) { scene.follow({"c"}, "", 5); },
            "a-c b-c",
            "c is cut off from a and b",
            12},
        Cut{"IsolatedLeader",
            3,
            0,
            {{"a", "b"}, {"a", "c"}},
            [](Scene& scene) {
              scene.follow({"a"}, "", 5);
              scene.follow({"b", "c"}, "b", 6);
            },
            "a-b a-c",
            "a is cut off from b and c",
            12},
        Cut{"Learner", 3, 1, {{"a", "d"}}, nothing, "a-d", "a and d do not see each other", 20},
        Cut{"TwoFollowersOfFive",
            5,
            0,
            {{"b", "c"}},
            nothing,
            "b-c",
            "b and c do not see each other",
            25},
        Cut{"Split",
            5,
            0,
            {{"a", "c"}, {"a", "d"}, {"a", "e"}, {"b", "c"}, {"b", "d"}, {"b", "e"}},
            [](Scene& scene) {
              scene.follow({"a", "b"}, "", 5);
              scene.follow({"c", "d", "e"}, "c", 6);
            },
            "a-c a-d a-e b-c b-d b-e",
            "the cluster is split: c, d and e | a and b",
            15}),
    [](const auto& tested) { return std::string(tested.param.name); });

class Links : public ::testing::Test {
 protected:
  void SetUp() override { scene.blind = true; }
  void TearDown() override { EXPECT_EQ(scene.trouble, ""); }
  void expect_calm(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      scene.run(1);
      ASSERT_EQ(cut_names(scene), "") << "second " << i;
    }
  }
  Scene scene{3};
};

TEST_F(Links, AQuietClusterIsNotSuspected) {
  for (int i = 0; i < 200; ++i) {
    scene.run(1);
    ASSERT_EQ(scene.problems(), "");
    ASSERT_FALSE(scene.found.partition.suspected) << "second " << i;
  }
}

TEST_F(Links, TwoCutsAmongFourFollowersAreSuspectedNotGuessed) {
  Scene five(5);
  five.blind = true;
  five.run(40);
  five.cut("b", "c");
  five.cut("d", "e");
  for (int i = 0; i < 40; ++i) {
    five.run(1);
    for (const auto& word : {"b-d", "b-e", "c-d", "c-e"})
      ASSERT_EQ(cut_names(five).find(word), std::string::npos) << "second " << i;
  }
  EXPECT_TRUE(five.found.partition.suspected);
}

// Its disk is stuck: it hears its leader and answers nothing.
TEST_F(Links, AMemberThatHearsIsNotCutOff) {
  scene.run(40);
  scene["c"].stuck = true;
  expect_calm(60);
}

TEST_F(Links, NobodyIsCutOffWhileLeadersChange) {
  scene.run(40);
  std::uint64_t term = 6;
  for (const char* leader : {"b", "c", "a", "c", "b", "a"}) {
    scene.follow({"a", "b", "c"}, "", term);
    expect_calm(2);
    scene.follow({"a", "b", "c"}, leader, term++);
    expect_calm(7);
  }
  expect_calm(30);
}

TEST_F(Links, NobodyIsCutOffWhileMembersRestart) {
  scene.run(40);
  for (const char* name : {"b", "c", "b"}) {
    scene.kill(name);
    expect_calm(12);
    scene.start(name);
    expect_calm(40);
  }
  EXPECT_EQ(scene.problems(), "");
}

TEST_F(Links, ANewMemberIsNotCutOff) {
  scene.run(40);
  scene.add("d", true, true);
  expect_calm(60);
  EXPECT_FALSE(scene.found.partition.suspected);
}

TEST_F(Links, AMemberOfAnotherVersionIsNotMeasured) {
  scene.run(40);
  scene["b"].version = "3.6.1";
  scene["c"].version = "3.6.1";
  scene.cut("b", "c");
  expect_calm(40);
}

TEST_F(Links, PeersHearAMemberThatWeCannotReach) {
  for (const std::string& name : std::vector<std::string>{"a", "c"}) {
    scene.run(40);
    scene[name].mode = Mode::kBlackHoled;
    scene.run(13);
    EXPECT_EQ(scene.found.partition.kind, PartitionKind::kUnreachableFromUs);
    EXPECT_EQ(scene.verdict(Check::kMemberUnreachable, name).summary,
              "member " + name + " cannot be reached from here (timeout), but its peers see it");
    EXPECT_EQ(scene.found.quorum.available, 3);
    scene[name].mode = Mode::kUp;
    scene.run(30);
    EXPECT_EQ(scene.problems(), "");
  }
}

TEST_F(Links, NobodyHearsAMemberThatIsStopped) {
  scene.run(40);
  scene["c"].mode = Mode::kStopped;
  for (int i = 0; i < 40; ++i) {
    scene.run(1);
    ASSERT_EQ(scene.found.partition.text, "") << "second " << i;
  }
  EXPECT_EQ(scene.problems(), "MemberHung(c)");
}

}  // namespace
}  // namespace etcdmon::collect
