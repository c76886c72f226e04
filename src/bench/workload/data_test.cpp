#include "bench/workload/data.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::bench {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

Keys keys(std::uint64_t space) {
  Keys made;
  made.space = space;
  return made;
}

TEST(KeyChooser, SequentialWorkersShareTheSpace) {
  Random random(1);
  std::multiset<std::uint64_t> seen;
  for (std::uint32_t worker = 0; worker < 3; ++worker) {
    KeyChooser choose(keys(9), Keys::Order::kSequential, {worker, 3});
    for (int i = 0; i < 3; ++i) seen.insert(choose(random));
  }
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
}

TEST(KeyChooser, UniformMeetsAllAlike) {
  Random random(2);
  KeyChooser choose(keys(10), Keys::Order::kUniform, {});
  std::vector<int> counts(10);
  for (int i = 0; i < 100'000; ++i) ++counts[choose(random)];
  for (const auto count : counts) EXPECT_NEAR(count, 10'000, 500);
}

// Against the weights themselves: the k-th is as frequent as k^-skew says.
TEST(Zipfian, HasTheRightShape) {
  for (const double skew : {0.5, 0.99}) {
    constexpr std::uint64_t kN = 1'000;
    double sum = 0;
    for (std::uint64_t k = 1; k <= kN; ++k) sum += std::pow(k, -skew);
    Random random(3);
    const Zipfian zipfian(kN, skew);
    std::vector<double> counts(kN);
    constexpr int kDraws = 1'000'000;
    for (int i = 0; i < kDraws; ++i) ++counts[zipfian(random)];
    for (const std::uint64_t k : {1U, 2U, 3U, 10U, 100U, 1'000U}) {
      const double expected = kDraws * std::pow(k, -skew) / sum;
      EXPECT_NEAR(counts[k - 1], expected, 5 * std::sqrt(expected)) << k << " of skew " << skew;
    }
  }
}

TEST(Zipfian, NeedsNoTimeForHugeSpaces) {
  Random random(4);
  const Zipfian zipfian(1'000'000'000, 0.99);
  for (int i = 0; i < 1'000; ++i) EXPECT_LT(zipfian(random), 1'000'000'000U);
}

TEST(KeyText, HasThePrefixAndTheSize) {
  RunSpec spec;
  spec.prefix = "/b/";
  spec.keys.size = 8;
  KeyText key(spec);
  EXPECT_EQ(key(0), "/b/00000000");
  EXPECT_EQ(key(12'345'678), "/b/12345678");
  EXPECT_EQ(key.end(), "/b0");
  spec.keys.size = 40;
  KeyText folder(spec, "x/");
  EXPECT_EQ(folder(7).size(), 3U + 2U + 40U);
  EXPECT_THAT(std::string(folder(7)), StartsWith("/b/x/0000"));
  EXPECT_EQ(folder.end(), "/b/x0");
}

TEST(EndOfPrefix, IsTheNextText) {
  EXPECT_EQ(end_of_prefix("a"), "b");
  EXPECT_EQ(end_of_prefix("a\xff\xff"), "b");
  EXPECT_EQ(end_of_prefix("\xff"), std::string(1, '\0'));
}

TEST(Values, HaveTheirSizes) {
  Random random(5);
  const auto mean_and_most = [&random](Sizes sizes) {
    const Values values(sizes, 1);
    double sum = 0;
    std::size_t most = 0;
    for (int i = 0; i < 20'000; ++i) {
      const auto size = values(random).size();
      sum += static_cast<double>(size);
      most = std::max(most, size);
    }
    return std::pair(sum / 20'000, most);
  };
  EXPECT_EQ(mean_and_most({Sizes::Kind::kFixed, 100, 100}), std::pair(100.0, std::size_t{100}));
  const auto uniform = mean_and_most({Sizes::Kind::kUniform, 100, 300});
  EXPECT_NEAR(uniform.first, 200, 3);
  EXPECT_EQ(uniform.second, 300U);
  const auto tail = mean_and_most({Sizes::Kind::kLogNormal, 1'000, 100'000});
  EXPECT_NEAR(tail.first, 1'649, 60);  // the median times the root of e
  EXPECT_GT(tail.second, 10'000U);
  EXPECT_LE(tail.second, 100'000U);
}

// A compressor finds nothing: all 256 bytes are about as frequent, and no value is like another.
TEST(Values, CannotBeCompressed) {
  Random random(6);
  const Values values({Sizes::Kind::kFixed, 4'096, 4'096}, 1);
  std::vector<int> counts(256);
  std::set<std::string> all;
  for (int i = 0; i < 100; ++i) {
    const auto value = values(random);
    all.emplace(as_text(value));
    for (const auto byte : value) ++counts[std::to_integer<std::size_t>(byte)];
  }
  EXPECT_EQ(all.size(), 100U);
  for (const auto count : counts) EXPECT_NEAR(count, 1'600, 250);
}

TEST(Random, IsTheSameForTheSameSeed) {
  Random a(9);
  Random b(9);
  Random c(10);
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
}

}  // namespace
}  // namespace etcdmon::bench
