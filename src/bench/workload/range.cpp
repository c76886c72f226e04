#include "bench/workload/kinds.hpp"
#include "bench/workload/puts.hpp"

namespace etcdmon::bench {

namespace {

/// Pages of `limit` keys from a chosen one on; with count-only, how many there are from it on.
class Range final : public Workload {
 public:
  Range(const RunSpec& spec, Share share)
      : shape_(spec.shape),
        random_(spec.seed * 53 + share.worker),
        choose_(spec.keys, spec.keys.order.value_or(Keys::Order::kUniform), share),
        key_(spec) {}

  std::span<const OperationKind> operations() const override {
    static constexpr OperationKind kKinds[] = {{"range"}};
    return kKinds;
  }

  Request begin(Client& /*client*/, Body& body) override {
    body.clear();
    body.text(1, key_(choose_(random_)));
    body.text(2, key_.end());
    body.number(3, shape_.count_only ? 0 : shape_.limit);
    body.number(7, shape_.serializable ? 1 : 0);
    body.number(8, shape_.keys_only ? 1 : 0);
    body.number(9, shape_.count_only ? 1 : 0);
    return {.path = path::kRange};
  }

  Meaning answered(Client& /*client*/, std::span<const std::byte> message) override {
    std::uint64_t keys = 0;
    std::uint64_t count = 0;
    Fields fields(message);
    while (const auto field = fields.next()) {
      if (field->number == 2) ++keys;
      if (field->number == 4) count = field->value;
    }
    const bool found = shape_.count_only ? count > 0 : keys > 0;
    return found ? Meaning::done() : Meaning::failed(ErrorCode::kNotFound, kGone);
  }

 private:
  Shape shape_;
  Random random_;
  KeyChooser choose_;
  KeyText key_;
};

}  // namespace

std::unique_ptr<Workload> make_range(const RunSpec& spec, Share share) {
  return std::make_unique<Range>(spec, share);
}

}  // namespace etcdmon::bench
