# The metrics side of collect, relative to src/collect.
set(ETCDMON_SCRAPE_SOURCES
    scrape/combine.cpp scrape/derive.cpp scrape/dictionary.cpp scrape/digest.cpp scrape/exposition.cpp
    scrape/member_metrics.cpp scrape/node_metrics.cpp scrape/number.cpp scrape/page_reader.cpp
    scrape/probe_window.cpp scrape/size_trend.cpp scrape/wanted_series.cpp)
set(ETCDMON_SCRAPE_TESTS
    scrape/combine_test.cpp scrape/digest_test.cpp scrape/exposition_test.cpp scrape/member_metrics_test.cpp
    scrape/node_metrics_test.cpp scrape/page_reader_test.cpp scrape/probe_window_test.cpp
    scrape/size_trend_test.cpp scrape/wanted_series_test.cpp)
