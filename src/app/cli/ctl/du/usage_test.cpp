#include "app/cli/ctl/du/usage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {
namespace {

wire::KeyValue pair(const std::string& key, std::size_t size, std::int64_t version = 1) {
  wire::KeyValue kv;
  kv.set_key(key);
  kv.set_value(std::string(size, 'x'));
  kv.set_version(version);
  return kv;
}

TEST(CtlUsage, GroupsByPath) {
  const Usage two("", 2);
  EXPECT_EQ(two.group_of("/registry/pods/default/web"), "/registry/pods/");
  EXPECT_EQ(two.group_of("/registry/ranges"), "/registry/");
  EXPECT_EQ(two.group_of("a/b/c"), "a/b/");
  EXPECT_EQ(two.group_of("plain"), "");
  const Usage below("/registry/pods/", 1);
  EXPECT_EQ(below.group_of("/registry/pods/default/web"), "/registry/pods/default/");
}

TEST(CtlUsage, AddsUpTheLargestFirst) {
  Usage usage("", 1);
  usage.add(pair("a/1", 10, 3));
  usage.add(pair("a/2", 20));
  usage.add(pair("b/1", 100));
  EXPECT_EQ(usage.total().keys, 3);
  EXPECT_EQ(usage.total().bytes, 139);
  const auto rows = usage.rows(0);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].prefix, "b/");
  EXPECT_EQ(rows[1].keys, 2);
  EXPECT_EQ(rows[1].largest, 23);
  EXPECT_EQ(rows[1].writes, 4);
  EXPECT_EQ(usage.rows(1).size(), 1U);
  EXPECT_EQ(to_text(usage, 1, Format::kJson),
            R"({"keys":3,"size_bytes":139,"largest_bytes":103,"writes":5,"prefixes":[)"
            R"({"prefix":"b/","keys":1,"size_bytes":103,"largest_bytes":103,"writes":1}]})");
  EXPECT_THAT(to_text(usage, 0, Format::kSimple),
              testing::HasSubstr("|   \"b/\" |    1 | 103 B |  74.1% |   103 B |      1 |\n"));
}

}  // namespace
}  // namespace etcdmon::app::cli::ctl
