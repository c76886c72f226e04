#include "bench/workload/kinds.hpp"

namespace etcdmon::bench {

namespace {

/// Leases under numbers of our own, so that all of them can be revoked without remembering any.
class LeaseGrant final : public Workload {
 public:
  LeaseGrant(const RunSpec& spec, Share share)
      : ttl_(static_cast<std::uint64_t>(spec.shape.lease_ttl.count())),
        first_(first_lease(share)) {}

  std::span<const OperationKind> operations() const override {
    static constexpr OperationKind kKinds[] = {{"lease-grant"}};
    return kKinds;
  }
  LeaseRange leases() const override { return {first_, count_}; }

  Request begin(Client& /*client*/, Body& body) override {
    body.clear();
    body.number(1, ttl_);
    body.number(2, first_ + count_++);
    return {.path = path::kLeaseGrant};
  }
  Meaning answered(Client& /*client*/, std::span<const std::byte> message) override {
    Fields fields(message);
    while (const auto field = fields.next()) {
      if (field->number == 3 && field->value > 0) return Meaning::done();
    }
    return Meaning::failed(ErrorCode::kInternal, "a lease was granted without a time to live");
  }

 private:
  std::uint64_t ttl_;
  std::uint64_t first_;
  std::uint64_t count_ = 0;
};

/// Takes leases back, until none of them is left.
class LeaseRevoke final : public Workload {
 public:
  explicit LeaseRevoke(LeaseRange leases) : leases_(leases) {}

  std::span<const OperationKind> operations() const override {
    static constexpr OperationKind kKinds[] = {{"lease-revoke"}};
    return kKinds;
  }
  bool exhausted() const override { return done_ == leases_.count; }

  Request begin(Client& /*client*/, Body& body) override {
    body.clear();
    body.number(1, leases_.first + done_++);
    return {.path = path::kLeaseRevoke};
  }
  Meaning answered(Client& /*client*/, std::span<const std::byte> /*message*/) override {
    return Meaning::done();
  }

 private:
  LeaseRange leases_;
  std::uint64_t done_ = 0;
};

}  // namespace

std::unique_ptr<Workload> make_lease_grant(const RunSpec& spec, Share share) {
  return std::make_unique<LeaseGrant>(spec, share);
}

std::unique_ptr<Workload> make_revoke(LeaseRange leases) {
  return std::make_unique<LeaseRevoke>(leases);
}

}  // namespace etcdmon::bench
