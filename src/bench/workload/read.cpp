#include "bench/workload/kinds.hpp"
#include "bench/workload/puts.hpp"

namespace etcdmon::bench {

namespace {

class Read final : public Workload {
 public:
  Read(const RunSpec& spec, Share share)
      : gets_(spec, spec.keys.order.value_or(Keys::Order::kUniform), share) {}

  std::span<const OperationKind> operations() const override {
    static constexpr OperationKind kKinds[] = {{"read"}};
    return kKinds;
  }
  Request begin(Client& /*client*/, Body& body) override { return gets_.ask(body, 0); }
  Meaning answered(Client& /*client*/, std::span<const std::byte> message) override {
    return Gets::judge(message);
  }

 private:
  Gets gets_;
};

}  // namespace

Meaning Gets::judge(std::span<const std::byte> message) {
  Fields fields(message);
  while (const auto field = fields.next()) {
    if (field->number == 2) return Meaning::done();
  }
  return Meaning::failed(ErrorCode::kNotFound, kGone);
}

std::unique_ptr<Workload> make_read(const RunSpec& spec, Share share) {
  return std::make_unique<Read>(spec, share);
}

}  // namespace etcdmon::bench
