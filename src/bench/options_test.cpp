#include "bench/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::bench {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

Options options_of(const std::vector<config::FlagValue>& flags) {
  Options options;
  EXPECT_THAT(apply_flags(options, flags), IsEmpty());
  return options;
}

TEST(BenchOptions, FlagsReachTheRun) {
  const auto options = options_of({{"clients", "100"},
                                   {"rate", "2500"},
                                   {"duration", "30s"},
                                   {"warm-up", "2s"},
                                   {"value-size", "1KiB-4KiB"},
                                   {"key-order", "zipfian"},
                                   {"reads", "0.5"},
                                   {"target", "leader"},
                                   {"abort-p99", "500ms"},
                                   {"clean-up", "false"}});
  const auto spec = spec_of(options, "mixed", 10'000);
  EXPECT_EQ(spec.workload, "mixed");
  EXPECT_EQ(spec.load.clients, 100U);
  EXPECT_EQ(spec.load.connections, 7U) << "one for every 16 clients";
  EXPECT_EQ(spec.load.rate, 2'500);
  EXPECT_EQ(spec.ops, 0U) << "the duration alone ends it";
  EXPECT_EQ(spec.duration, 30s);
  EXPECT_EQ(spec.warm_up, 2s);
  EXPECT_EQ(spec.values.kind, Sizes::Kind::kUniform);
  EXPECT_EQ(spec.values.max, 4'096U);
  EXPECT_EQ(spec.keys.order, Keys::Order::kZipfian);
  EXPECT_EQ(spec.shape.reads, 0.5);
  EXPECT_EQ(spec.target, Target::kLeader);
  EXPECT_EQ(spec.abort.p99, 500ms);
  EXPECT_TRUE(spec.abort.leader_change);
  EXPECT_FALSE(spec.clean_up);
  EXPECT_FALSE(spec.search);
}

TEST(BenchOptions, LengthIsWhatIsAskedFor) {
  const struct {
    std::vector<config::FlagValue> flags;
    std::uint64_t ops;
    std::chrono::seconds duration;
  } cases[] = {{{}, 10'000, 0s},
               {{{"ops", "5"}}, 5, 0s},
               {{{"duration", "5s"}}, 0, 5s},
               {{{"duration", "5s"}, {"ops", "70"}}, 70, 5s},
               {{{"ops", "0"}}, 0, 0s}};
  for (const auto& each : cases) {
    const auto spec = spec_of(options_of(each.flags), "write", 10'000);
    EXPECT_EQ(spec.ops, each.ops);
    EXPECT_EQ(spec.duration, each.duration);
  }
}

TEST(BenchOptions, ConnectionsFollowTheClients) {
  const struct {
    const char* clients;
    const char* threads;
    std::uint32_t connections;
  } cases[] = {{"1", "1", 1},  {"3", "1", 3},   {"10", "1", 4},    {"64", "1", 4},
               {"65", "1", 5}, {"100", "8", 8}, {"1000", "1", 63}, {"5000", "2", 64}};
  for (const auto& each : cases) {
    const auto options = options_of({{"clients", each.clients}, {"threads", each.threads}});
    EXPECT_EQ(spec_of(options, "read", 1).load.connections, each.connections) << each.clients;
  }
  EXPECT_EQ(
      spec_of(options_of({{"connections", "9"}, {"clients", "20"}}), "read", 1).load.connections,
      9U);
}

TEST(BenchOptions, ATestClusterMayChangeItsLeader) {
  EXPECT_TRUE(spec_of(Options{}, "read", 1).abort.leader_change);
  EXPECT_FALSE(spec_of(options_of({{"test-cluster", "true"}}), "read", 1).abort.leader_change);
  EXPECT_TRUE(
      spec_of(options_of({{"test-cluster", "true"}, {"abort-on-leader-change", "true"}}), "read", 1)
          .abort.leader_change);
  EXPECT_FALSE(
      spec_of(options_of({{"abort-on-leader-change", "false"}}), "read", 1).abort.leader_change);
}

TEST(BenchOptions, ASearchIsAnOptionOfItsOwn) {
  const auto options =
      options_of({{"search", "true"}, {"search-p99", "50ms"}, {"search-from", "500"}});
  const auto spec = spec_of(options, "mixed", 10'000);
  ASSERT_TRUE(spec.search);
  EXPECT_EQ(spec.search->p99, 50ms);
  EXPECT_EQ(spec.search->from, 500);
}

TEST(BenchOptions, AllThatIsWrongIsTold) {
  Options options;
  const std::vector<config::FlagValue> flags{
      {"clients", "0"}, {"reads", "1.5"}, {"value-size", "9-1"}, {"prefix", ""}, {"timeout", "1"}};
  EXPECT_EQ(apply_flags(options, flags).size(), flags.size());
}

TEST(BenchOptions, PresetsAreThoseOfEtcd) {
  ASSERT_NE(find_preset("xl"), nullptr);
  EXPECT_EQ(find_preset("xxl"), nullptr);
  Options options;
  apply_preset(options, *find_preset("m"));
  const std::vector<config::FlagValue> shorter{{"duration", "5s"}};
  EXPECT_THAT(apply_flags(options, shorter), IsEmpty());
  const auto spec = spec_of(options, "write", 10'000);
  EXPECT_EQ(spec.load.clients, 200U);
  EXPECT_EQ(spec.load.connections, 200U);
  EXPECT_EQ(spec.load.rate, 1'000);
  EXPECT_EQ(spec.keys.size, 256U);
  EXPECT_EQ(spec.values.min, 1'024U);
  EXPECT_EQ(spec.ops, 0U);
  EXPECT_EQ(spec.duration, 5s);
}

TEST(BenchOptions, SettingsAreNamedAsTheirFlags) {
  const auto settings = settings_of(options_of({{"clients", "7"}, {"value-size", "512"}}));
  EXPECT_THAT(settings, Contains(Pair("clients", "7")));
  EXPECT_THAT(settings, Contains(Pair("value-size", "512")));
  EXPECT_THAT(settings, Contains(Pair("search-step", "5s")));
  for (const auto& [name, value] : settings) EXPECT_NE(name, "abort-p99") << "it is not set";
}

TEST(BenchOptions, EveryOptionHasAFlagAndNoVariable) {
  const auto flags = option_flags();
  EXPECT_EQ(flags.size(), config::bindings_of(Options::schema()).size());
  for (const auto& flag : flags) {
    EXPECT_THAT(flag.environment, IsEmpty()) << flag.name;
    EXPECT_THAT(flag.doc, HasSubstr(".")) << flag.name;
  }
}

}  // namespace
}  // namespace etcdmon::bench
