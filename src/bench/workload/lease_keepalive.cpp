#include "bench/workload/kinds.hpp"

namespace etcdmon::bench {

namespace {

/// Every client has a lease and a stream, and keeps the lease alive as fast as it is answered.
class LeaseKeepAlive final : public Workload {
 public:
  LeaseKeepAlive(const RunSpec& spec, Share share)
      : ttl_(static_cast<std::uint64_t>(spec.shape.lease_ttl.count())),
        first_(first_lease(share)) {}

  std::span<const OperationKind> operations() const override {
    static constexpr OperationKind kKinds[] = {{"keepalive"}};
    return kKinds;
  }
  LeaseRange leases() const override { return {first_, count_}; }

  Request begin(Client& client, Body& body) override {
    auto& lease = client.memory[kLease];
    body.clear();
    if (lease != 0) {
      body.number(1, lease);
      return {.path = path::kLeaseKeepAlive, .kind = Request::Kind::kStream};
    }
    client.memory[kGranting] = first_ + count_++;
    body.number(1, ttl_);
    body.number(2, client.memory[kGranting]);
    return {.path = path::kLeaseGrant};
  }

  Meaning answered(Client& client, std::span<const std::byte> message) override {
    std::uint64_t ttl = 0;
    Fields fields(message);
    while (const auto field = fields.next()) {
      if (field->number == 3) ttl = field->value;
    }
    if (client.memory[kLease] == 0) {
      client.memory[kLease] = client.memory[kGranting];
      return Meaning::now_ready();
    }
    if (ttl > 0) return Meaning::done();
    client.memory[kLease] = 0;
    return Meaning::failed(ErrorCode::kNotFound, "the lease was gone when it was to be kept alive");
  }

 private:
  enum Memory : std::size_t { kLease, kGranting };

  std::uint64_t ttl_;
  std::uint64_t first_;
  std::uint64_t count_ = 0;
};

}  // namespace

std::unique_ptr<Workload> make_lease_keepalive(const RunSpec& spec, Share share) {
  return std::make_unique<LeaseKeepAlive>(spec, share);
}

}  // namespace etcdmon::bench
