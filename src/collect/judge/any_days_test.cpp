// Random days: what must hold whatever happens.
#include <random>

#include <gtest/gtest.h>

#include "collect/judge/judge_testing.hpp"

namespace etcdmon::collect {
namespace {

using testing::Mode;
using testing::Scene;

// Whatever happens in whatever order: no judgement contradicts itself, and once all is well again
// it says so.
class AnyDays : public ::testing::TestWithParam<unsigned> {};

TEST_P(AnyDays, EndWell) {
  std::minstd_rand random(GetParam());
  const auto below = [&](unsigned n) { return static_cast<std::size_t>(random() % n); };
  const std::vector<std::string> names = {"a", "b", "c", "d", "e"};
  const auto any = [&] { return names[below(5)]; };
  Scene scene(5);
  scene.run(5);
  std::uint64_t term = 5;
  for (int day = 0; day < 60; ++day) {
    switch (below(9)) {
      case 0:
        scene.kill(any());
        break;
      case 1:
        scene[any()].mode = static_cast<Mode>(below(6));
        break;
      case 2:
        scene.cut(any(), any());
        break;
      case 3:
        scene.cut_one_way(any(), any());
        break;
      case 4:
        scene.follow({any(), any(), any()}, below(3) == 0 ? "" : any(), term += below(2));
        break;
      case 5:
        scene[any()].errors = {"memberID:3 alarm:NOSPACE "};
        break;
      case 6:
        scene.stall(std::chrono::seconds(30));
        break;
      case 7:
        scene[any()].revision += 1;
        break;
      default:
        scene.step_wall_clock(std::chrono::seconds(below(7'200)));
        break;
    }
    scene.run(static_cast<int>(below(12)));
  }
  scene.heal();
  scene.follow(names, "c", term + 1);
  for (const auto& name : names) {
    scene[name].mode = Mode::kUp;
    scene[name].errors.clear();
    scene[name].revision = 99;
  }
  scene.run(15 * 60 + 60);
  EXPECT_EQ(scene.trouble, "");
  EXPECT_EQ(scene.problems(), "");
  EXPECT_EQ(scene.found.healthy, true);
  EXPECT_EQ(scene.found.leader.name, "c");
  EXPECT_FALSE(scene.found.partition.suspected);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyDays, ::testing::Range(1U, 41U));

}  // namespace
}  // namespace etcdmon::collect
