#include "net/outbound.hpp"

#include "net/detail/curl_thread.hpp"

namespace etcdmon::net {

Outbound::Outbound(Executor executor) : executor_(executor) {}
Outbound::~Outbound() = default;

detail::CurlThread& Outbound::thread() {
  if (!thread_) thread_ = std::make_unique<detail::CurlThread>(executor_);
  return *thread_;
}

}  // namespace etcdmon::net
