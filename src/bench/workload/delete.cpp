#include "bench/workload/kinds.hpp"
#include "bench/workload/puts.hpp"

namespace etcdmon::bench {

namespace {

/// Every prepared key once, in order: it ends when they are gone.
class Delete final : public Workload {
 public:
  Delete(const RunSpec& spec, Share share)
      : key_(spec), next_(share.worker), stride_(share.workers), space_(spec.keys.space) {}

  std::span<const OperationKind> operations() const override {
    static constexpr OperationKind kKinds[] = {{"delete"}};
    return kKinds;
  }

  bool exhausted() const override { return next_ >= space_; }

  Request begin(Client& /*client*/, Body& body) override {
    body.clear();
    body.text(1, key_(next_));
    next_ += stride_;
    return {.path = path::kDeleteRange};
  }

  Meaning answered(Client& /*client*/, std::span<const std::byte> message) override {
    Fields fields(message);
    while (const auto field = fields.next()) {
      if (field->number == 2 && field->value == 1) return Meaning::done();
    }
    return Meaning::failed(ErrorCode::kNotFound, kGone);
  }

 private:
  KeyText key_;
  std::uint64_t next_;
  std::uint64_t stride_;
  std::uint64_t space_;
};

}  // namespace

std::unique_ptr<Workload> make_delete(const RunSpec& spec, Share share) {
  return std::make_unique<Delete>(spec, share);
}

}  // namespace etcdmon::bench
