# Paths from src/bench.
set(ETCDMON_BENCH_HTTP2_SOURCES
  http2/frames.cpp
  http2/header_decoder.cpp
  http2/header_encoder.cpp
  http2/raw_answers.cpp
  http2/raw_transport.cpp
  http2/reference_transport.cpp)
set(ETCDMON_BENCH_HTTP2_TESTS
  http2/raw_transport_test.cpp)
