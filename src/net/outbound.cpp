#include "net/outbound.hpp"

#include "net/detail/curl_thread.hpp"

namespace etcdmon::net {

Outbound::Outbound(Executor executor) : thread_(std::make_unique<detail::CurlThread>(executor)) {}
Outbound::~Outbound() = default;

}  // namespace etcdmon::net
