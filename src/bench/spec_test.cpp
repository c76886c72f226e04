#include "bench/spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

RunSpec good() {
  RunSpec spec;
  spec.endpoints = {net::parse_endpoint("http://127.0.0.1:2379").value()};
  return spec;
}

TEST(Spec, DefaultsCanBeRun) {
  EXPECT_THAT(complaints(good()), IsEmpty());
}

TEST(Spec, SaysAllThatIsWrongAtOnce) {
  auto spec = good();
  spec.workload = "wirte";
  spec.load.connections = 8;
  spec.ops = 0;
  EXPECT_THAT(complaints(spec),
              ElementsAre(HasSubstr("did you mean \"write\""), HasSubstr("8 connections for 1"),
                          HasSubstr("a number of operations, a duration")));
}

TEST(Spec, RefusesWhatCannotBeRun) {
  struct Case {
    const char* what;
    void (*spoil)(RunSpec&);
    const char* complaint;
  };
  const Case cases[] = {
      {"nobody to ask", [](RunSpec& s) { s.endpoints.clear(); }, "no endpoint"},
      {"TLS without options", [](RunSpec& s) { s.endpoints[0].tls = true; }, "TLS options"},
      {"user without password", [](RunSpec& s) { s.user = "root"; }, "needs a password"},
      {"a rate that is none", [](RunSpec& s) { s.load.rate = -1; }, "rate must be"},
      {"a ramp from nothing", [](RunSpec& s) { s.load.ramp_to = 5; }, "ramp needs a rate"},
      {"idle threads", [](RunSpec& s) { s.load.threads = 2; }, "2 threads for 1"},
      {"no prefix", [](RunSpec& s) { s.prefix.clear(); }, "must not be empty"},
      {"tiny keys", [](RunSpec& s) { s.keys.size = 4; }, "8 to 8192 bytes"},
      {"sizes upside down", [](RunSpec& s) { s.values.min = 300; }, "must not fall"},
      {"huge transactions", [](RunSpec& s) { s.shape.txn_ops = 129; }, "1 to 128"},
      {"both kinds of less", [](RunSpec& s) { s.shape.count_only = s.shape.keys_only = true; },
       "exclude each other"},
      {"hasty search", [](RunSpec& s) { s.search = Search{.step = Milliseconds(10)}; },
       "1s or more"},
      {"search on scale",
       [](RunSpec& s) {
         s.workload = "scale";
         s.search = Search{};
       },
       "cannot search"},
  };
  for (const auto& c : cases) {
    auto spec = good();
    c.spoil(spec);
    EXPECT_THAT(complaints(spec), ElementsAre(HasSubstr(c.complaint))) << c.what;
  }
}

TEST(Sizes, AreReadAndWritten) {
  struct Case {
    const char* text;
    Sizes sizes;
    const char* written;
  };
  const Case cases[] = {
      {"256", {Sizes::Kind::kFixed, 256, 256}, "256"},
      {"1KiB", {Sizes::Kind::kFixed, 1024, 1024}, "1KiB"},
      {"0", {Sizes::Kind::kFixed, 0, 0}, "0"},
      {"128-4KiB", {Sizes::Kind::kUniform, 128, 4096}, "128-4KiB"},
      {"lognormal:1KiB-64KiB", {Sizes::Kind::kLogNormal, 1024, 65536}, "lognormal:1KiB-64KiB"},
  };
  for (const auto& c : cases) {
    const auto read = parse_sizes(c.text);
    ASSERT_TRUE(read) << c.text << ": " << read.error().message;
    EXPECT_EQ(*read, c.sizes) << c.text;
    EXPECT_EQ(to_string(*read), c.written);
  }
  for (const auto* text : {"", "x", "5-", "9-3", "lognormal:5", "1GiB", "-5"}) {
    EXPECT_FALSE(parse_sizes(text)) << text;
  }
}

TEST(Workloads, HaveNamesOfTheirOwn) {
  std::vector<std::string_view> names;
  for (const auto& entry : workloads()) names.push_back(entry.name);
  std::ranges::sort(names);
  EXPECT_THAT(names, SizeIs(workloads().size()));
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

}  // namespace
}  // namespace etcdmon::bench
