#include "perf/sim_cluster.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "wire/rpc.pb.h"

namespace etcdmon::perf {

namespace {

constexpr std::uint64_t kTerm = 3;
constexpr double kWritesPerSecond = 50;
constexpr std::int64_t kFirstRevision = 1'000'000;
constexpr std::int64_t kDbSize = 64 << 20;

// Ids look like etcd's: 64 bits, never 0.
std::uint64_t id_from(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  hash ^= hash >> 29U;
  return hash | 1U;
}

template <class Response>
std::string with_header(Response response, const wire::ResponseHeader& header) {
  *response.mutable_header() = header;
  return response.SerializeAsString();
}

}  // namespace

SimCluster::SimCluster(const SimWorld& world, std::string_view name,
                       const std::vector<Address>& addresses)
    : world_(world), id_(id_from(name)), leader_(id_ % addresses.size()) {
  for (const auto& address : addresses) {
    Member member;
    member.id = id_from(address.url);
    member.id_hex = fmt::format("{:x}", member.id);
    member.address = address;
    members_.push_back(std::move(member));
  }
  for (auto& member : members_) {
    for (const auto& other : members_) {
      if (other.id != member.id) member.peers.push_back(other.id_hex);
    }
    std::ranges::sort(member.peers);
  }
}

std::int64_t SimCluster::revision() const {
  return kFirstRevision + static_cast<std::int64_t>(world_.seconds() * kWritesPerSecond);
}

bool SimCluster::answer(std::size_t index, std::string_view method, std::string& message) const {
  wire::ResponseHeader header;
  header.set_cluster_id(id_);
  header.set_member_id(members_[index].id);
  header.set_revision(revision());
  header.set_raft_term(kTerm);
  if (method == "/etcdserverpb.Maintenance/Status") {
    wire::StatusResponse status;
    status.set_version(world_.version);
    status.set_db_size(kDbSize);
    status.set_db_size_in_use(kDbSize / 2);
    status.set_leader(leader_id());
    status.set_raft_term(kTerm);
    const auto raft_index = static_cast<std::uint64_t>(header.revision() + 7);
    status.set_raft_index(raft_index);
    status.set_raft_applied_index(raft_index);
    message = with_header(std::move(status), header);
  } else if (method == "/etcdserverpb.Cluster/MemberList") {
    wire::MemberListResponse list;
    for (const auto& member : members_) {
      auto& entry = *list.add_members();
      entry.set_id(member.id);
      entry.set_name(member.address.name);
      entry.add_peer_urls(member.address.peer_url);
      entry.add_client_urls(member.address.url);
    }
    message = with_header(std::move(list), header);
  } else if (method == "/etcdserverpb.KV/Range") {
    message = with_header(wire::RangeResponse{}, header);
  } else if (method == "/etcdserverpb.Maintenance/Alarm") {
    message = with_header(wire::AlarmResponse{}, header);
  } else if (method == "/etcdserverpb.Maintenance/HashKV") {
    wire::HashKVResponse hash;
    hash.set_hash(static_cast<std::uint32_t>(id_));
    hash.set_compact_revision(1);
    message = with_header(std::move(hash), header);
  } else if (method == "/etcdserverpb.KV/Put" || method == "/etcdserverpb.KV/Txn") {
    message = with_header(wire::HeaderResponse{}, header);
  } else {
    return false;
  }
  return true;
}

void SimCluster::append_page(std::size_t index, std::string& out) const {
  const auto& member = members_[index];
  world_.page.render({.id = member.id_hex,
                      .peers = member.peers,
                      .leader = index == leader_,
                      .revision = revision(),
                      .phase = static_cast<double>(member.id % 1000)},
                     world_.seconds(), out);
}

}  // namespace etcdmon::perf
