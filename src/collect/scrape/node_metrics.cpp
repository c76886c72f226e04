#include "collect/scrape/node_metrics.hpp"

#include <algorithm>
#include <array>

#include "collect/scrape/exposition.hpp"
#include "series/windows.hpp"

namespace etcdmon::collect {

namespace {

constexpr Duration kWindow = std::chrono::minutes(5);

// Whether `path` lies in the file system mounted at `mount`, as far as names tell.
bool lies_in(std::string_view path, std::string_view mount) {
  if (mount == "/") return true;
  while (!mount.empty() && mount.back() == '/') mount.remove_suffix(1);
  return !mount.empty() && path.starts_with(mount) &&
         (path.size() == mount.size() || path[mount.size()] == '/');
}

bool is_virtual(std::string_view device) {
  static constexpr std::array kPrefixes = std::to_array<std::string_view>(
      {"veth", "docker", "br-", "virbr", "cni", "cali", "flannel", "cilium", "lxc", "tunl", "kube",
       "nodelocaldns", "dummy", "ifb"});
  return device == "lo" || std::ranges::any_of(kPrefixes, [&](std::string_view prefix) {
           return device.starts_with(prefix);
         });
}

struct Mount {
  std::string point;
  std::optional<double> value;

  // Keeps the value of the deepest mount point that holds the path.
  void offer(std::string_view path, const Sample& sample) {
    const auto text = sample.labels.find("mountpoint");
    if (!text) return;
    const auto mount = unescape(*text);
    if (!lies_in(path, mount) || (value && mount.size() < point.size())) return;
    point = mount;
    value = sample.value;
  }
};

}  // namespace

std::uint64_t NodeMetrics::on_page(std::string_view page, SteadyTime at) {
  Mount total;
  Mount free;
  Traffic traffic{.at = at, .received = {}, .sent = {}};
  const auto malformed = parse_exposition(page, [&](const Sample& sample) {
    if (!sample.name.starts_with("node_")) return;
    if (sample.name == "node_filesystem_size_bytes") total.offer(data_dir_, sample);
    if (sample.name == "node_filesystem_avail_bytes") free.offer(data_dir_, sample);
    const bool received = sample.name == "node_network_receive_bytes_total";
    if (!received && sample.name != "node_network_transmit_bytes_total") return;
    if (is_virtual(sample.labels.find("device").value_or("lo"))) return;
    auto& sum = received ? traffic.received : traffic.sent;
    sum = sum.value_or(0) + sample.value;
  });
  disk_total_ = total.value;
  disk_free_ = free.value;
  traffic_.push_back(traffic);
  while (traffic_.front().at < at - kWindow) traffic_.pop_front();
  return malformed;
}

std::optional<SteadyTime> NodeMetrics::last_at() const {
  if (traffic_.empty()) return std::nullopt;
  return traffic_.back().at;
}

std::optional<double> NodeMetrics::rate(std::optional<double> Traffic::* counter) const {
  series::CounterWindow window;
  for (const auto& sample : traffic_) {
    if (sample.*counter) window.add(sample.at, *(sample.*counter));
  }
  return window.rate();
}

std::optional<double> NodeMetrics::receive_rate() const {
  return rate(&Traffic::received);
}
std::optional<double> NodeMetrics::send_rate() const {
  return rate(&Traffic::sent);
}

}  // namespace etcdmon::collect
