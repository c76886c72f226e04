// Watches a cluster for a moment and prints what the monitor thinks of it.
//   minimal http://127.0.0.1:2379
#include <cstdio>

#include <etcdmon/monitor_service.hpp>

int main(int argc, char** argv) {
  etcdmon::MonitorConfig config;
  config.endpoints = {argc > 1 ? argv[1] : "127.0.0.1:2379"};

  etcdmon::MonitorService service(config);
  if (!service.start()) {
    std::fprintf(stderr, "cannot start: %s\n", service.error().c_str());
    return 2;
  }
  if (!service.wait_for_verdict(std::chrono::seconds(10))) {
    std::fprintf(stderr, "no verdict within ten seconds\n");
    return 2;
  }
  const auto status = service.cluster_status();
  std::printf("healthy: %s\nmembers: %d\nleader: %s\nfailures tolerated: %d\n",
              *status.healthy ? "yes" : "no", status.member_count, status.leader_name.c_str(),
              status.failures_tolerated);
  for (const auto& finding : status.findings)
    std::printf("%s: %s\n", finding.check.c_str(), finding.summary.c_str());

  const auto metrics = service.current_metrics();
  if (metrics.db_size)
    std::printf("database: %llu bytes\n", static_cast<unsigned long long>(*metrics.db_size));
  service.stop();
  return *status.healthy ? 0 : 1;
}
