// chaos/versions.hpp: which etcd a case runs on: the newest with every change, all by night.
#pragma once

#include <vector>

#include <gtest/gtest.h>

#include "kit/etcd_cluster.hpp"

namespace etcdmon::kit {

inline std::vector<EtcdVersion> newest_only() {
  const auto& all = etcd_versions();
  return all.empty() ? all : std::vector<EtcdVersion>{all.back()};
}

inline std::vector<EtcdVersion> all_but_newest() {
  const auto& all = etcd_versions();
  return all.empty() ? all : std::vector<EtcdVersion>(all.begin(), all.end() - 1);
}

}  // namespace etcdmon::kit

/// For cases that take long and hardly differ between versions: see etcdmon_test() about "Nightly".
#define ETCDMON_NEWEST_AND_NIGHTLY(Suite)                                                       \
  GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Suite);                                         \
  INSTANTIATE_TEST_SUITE_P(Newest, Suite, testing::ValuesIn(::etcdmon::kit::newest_only()),     \
                           ::etcdmon::kit::version_name);                                       \
  INSTANTIATE_TEST_SUITE_P(Nightly, Suite, testing::ValuesIn(::etcdmon::kit::all_but_newest()), \
                           ::etcdmon::kit::version_name)
