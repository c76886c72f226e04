// collect/discovery.hpp: endpoints from DNS SRV records, as etcd's --discovery-srv finds them.
#pragma once

#include <string>
#include <vector>

#include "async/task.hpp"
#include "net/resolver.hpp"

namespace etcdmon::collect {

/// Looks up _etcd-client-ssl._tcp.DOMAIN and _etcd-client._tcp.DOMAIN (with "-NAME" after "ssl" and
/// "client" when `service_name` is given). TLS records come first and make https URLs; plain ones
/// are left out when `tls` is wanted and a TLS record exists. Errors: kNotFound when there is no
/// record of either kind.
Task<Result<std::vector<std::string>>> discover_endpoints(net::Resolver& resolver,
                                                          std::string domain,
                                                          std::string service_name, bool tls);

}  // namespace etcdmon::collect
