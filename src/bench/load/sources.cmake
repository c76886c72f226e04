# Paths from src/bench.
set(ETCDMON_BENCH_LOAD_SOURCES
  load/control.cpp
  load/crew.cpp
  load/pacer.cpp
  load/poller.cpp
  load/rate_search.cpp
  load/tally.cpp
  load/team.cpp
  load/worker.cpp
  load/worker_lanes.cpp)
set(ETCDMON_BENCH_LOAD_TESTS
  load/crew_test.cpp
  load/pacer_test.cpp
  load/rate_search_test.cpp
  load/tally_test.cpp)
