// perf/sim_cluster.hpp: a healthy etcd cluster that consists of its answers only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "perf/sim_page.hpp"

namespace etcdmon::perf {

/// What of the simulation all clusters share.
struct SimWorld {
  const PageTemplate& page;
  std::string version = "3.5.16";
  double time_scale = 1;  ///< simulated seconds in a real one
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();

  double seconds() const {
    const std::chrono::duration<double> real = std::chrono::steady_clock::now() - began;
    return real.count() * time_scale;
  }
};

/// Members agree with each other at any moment: on the leader, the term, the revision, the list.
class SimCluster {
 public:
  struct Address {
    std::string url;  ///< of its clients: "http://127.20.3.1:2379"
    std::string peer_url;
    std::string name;  ///< of the member
  };

  SimCluster(const SimWorld& world, std::string_view name, const std::vector<Address>& addresses);

  std::size_t size() const { return members_.size(); }

  /// The response message of a unary call to member `index`; false: etcd has no such method here.
  bool answer(std::size_t index, std::string_view method, std::string& message) const;
  void append_page(std::size_t index, std::string& out) const;

 private:
  struct Member {
    std::uint64_t id = 0;
    std::string id_hex;
    Address address;
    std::vector<std::string> peers;  ///< the others' ids, sorted
  };

  std::int64_t revision() const;
  std::uint64_t leader_id() const { return members_[leader_].id; }

  const SimWorld& world_;
  std::uint64_t id_ = 0;
  std::vector<Member> members_;
  std::size_t leader_ = 0;
};

}  // namespace etcdmon::perf
