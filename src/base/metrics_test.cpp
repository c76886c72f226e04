#include "base/metrics.hpp"

#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::metrics {
namespace {

using testing::ElementsAre;

std::vector<std::string> text_of(const Registry& registry) {
  std::vector<std::string> lines;
  registry.for_each([&](const Family& family, const Labels& labels, const Value& value) {
    std::string line = fmt::format("{} {}", name_of(family.kind), family.name);
    for (const auto& [name, text] : labels) line += fmt::format(" {}={}", name, text);
    if (const auto* n = std::get_if<std::uint64_t>(&value)) line += fmt::format(" {}", *n);
    if (const auto* x = std::get_if<double>(&value)) line += fmt::format(" {}", *x);
    if (const auto* h = std::get_if<Histogram::Snapshot>(&value)) {
      line += fmt::format(" {} sum={} count={}", fmt::join(h->cumulative, ","), h->sum, h->count);
    }
    lines.push_back(line);
  });
  return lines;
}

TEST(Registry, GivesTheSameSeriesForTheSameNameAndLabels) {
  Registry registry;
  auto& a = registry.counter("etcdmon_scrapes_total", "Scrapes.", {{"member", "a"}, {"code", "x"}});
  auto& again =
      registry.counter("etcdmon_scrapes_total", "Scrapes.", {{"code", "x"}, {"member", "a"}});
  EXPECT_EQ(&a, &again);
  a.add();
  again.add(4);
  registry.gauge("etcdmon_members", "Members.").set(3);
  registry.gauge("etcdmon_up", "Up.", {}, [] { return 1.0; });
  EXPECT_THAT(text_of(registry),
              ElementsAre("gauge etcdmon_members 3",
                          "counter etcdmon_scrapes_total code=x member=a 5", "gauge etcdmon_up 1"));
}

TEST(Registry, ShowsHistogramsCumulative) {
  Registry registry;
  auto& h = registry.histogram("etcdmon_probe_seconds", "Probes.", {0.1, 1});
  for (const double x : {0.05, 0.1, 0.5, 7.0}) h.observe(x);
  EXPECT_THAT(text_of(registry),
              ElementsAre("histogram etcdmon_probe_seconds 2,3 sum=7.65 count=4"));
}

TEST(Registry, DropsWhatIsGone) {
  Registry registry;
  registry.counter("etcdmon_a_total", "A.", {{"member", "a"}}).add();
  registry.counter("etcdmon_a_total", "A.", {{"member", "b"}}).add();
  registry.remove("member", "a");
  EXPECT_THAT(text_of(registry), ElementsAre("counter etcdmon_a_total member=b 1"));
}

TEST(Registry, OtherThreadsMayCount) {
  Registry registry;
  auto& counter = registry.counter("etcdmon_rows_total", "Rows.");
  auto& gauge = registry.gauge("etcdmon_depth", "Depth.");
  auto& histogram = registry.histogram("etcdmon_seconds", "Times.", duration_bounds());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        counter.add();
        gauge.add(1);
        histogram.observe(0.01);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), 4000U);
  EXPECT_EQ(gauge.value(), 4000);
  EXPECT_EQ(histogram.snapshot().count, 4000U);
  EXPECT_NEAR(histogram.snapshot().sum, 40, 1e-6);
}

TEST(RegistryDeathTest, AnotherKindUnderAUsedNameIsABug) {
  Registry registry;
  registry.counter("etcdmon_x_total", "X.");
  EXPECT_DEATH(registry.gauge("etcdmon_x_total", "X."), "kind == kind");
}

}  // namespace
}  // namespace etcdmon::metrics
