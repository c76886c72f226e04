#include "bench/workload/kinds.hpp"
#include "bench/workload/puts.hpp"

namespace etcdmon::bench {

namespace {

class Mixed final : public Workload {
 public:
  Mixed(const RunSpec& spec, Share share)
      : reads_(spec.shape.reads),
        random_(spec.seed * 41 + share.worker),
        gets_(spec, order_of(spec), share),
        puts_(spec, spec.keys, order_of(spec), share) {}

  std::span<const OperationKind> operations() const override {
    static constexpr OperationKind kKinds[] = {{"read"}, {"write"}};
    return kKinds;
  }
  Request begin(Client& /*client*/, Body& body) override {
    return random_.chance(reads_) ? gets_.ask(body, kRead) : puts_.ask(body, kWrite);
  }
  Meaning answered(Client& client, std::span<const std::byte> message) override {
    return client.operation == kRead ? Gets::judge(message) : Meaning::done();
  }

 private:
  static constexpr std::uint8_t kRead = 0;
  static constexpr std::uint8_t kWrite = 1;
  static Keys::Order order_of(const RunSpec& spec) {
    return spec.keys.order.value_or(Keys::Order::kUniform);
  }

  double reads_;
  Random random_;
  Gets gets_;
  Puts puts_;
};

}  // namespace

std::unique_ptr<Workload> make_mixed(const RunSpec& spec, Share share) {
  return std::make_unique<Mixed>(spec, share);
}

}  // namespace etcdmon::bench
