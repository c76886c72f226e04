# What is told about a run, relative to src/bench.
set(ETCDMON_BENCH_REPORT_SOURCES
    report/bootstrap.cpp report/chart.cpp report/compare.cpp report/csv.cpp report/etcd_format.cpp report/html.cpp
    report/json.cpp report/preset.cpp report/progress.cpp report/record.cpp report/targets.cpp report/text.cpp)
set(ETCDMON_BENCH_REPORT_TESTS
    report/compare_test.cpp report/report_test.cpp report/targets_test.cpp)
