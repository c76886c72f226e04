#include "store/history/sqlite_history.hpp"

#include "store/testing/history_contract.hpp"

namespace etcdmon::store::contract {
namespace {

INSTANTIATE_TEST_SUITE_P(Sqlite, HistoryContract,
                         testing::Values(NamedHistory{
                             "Memory", [] { return *open_sqlite_history(":memory:"); }}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace etcdmon::store::contract
