// app/demo/etcd_binary.hpp: which etcd is installed here.
#pragma once

#include <string>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace etcdmon::app::demo {

struct EtcdBinary {
  std::string etcd;
  std::string etcdctl;
  std::string version;  ///< "3.4.23"
  int major = 0;
  int minor = 0;

  bool at_least(int want_major, int want_minor) const {
    return major > want_major || (major == want_major && minor >= want_minor);
  }
};

/// Asks the etcd at `path` (the program, or the folder it is in) for its version. etcdctl is taken
/// from the same folder.
/// Errors: kNotFound: there is none; kFailedPrecondition: it does not answer like etcd.
Task<Result<EtcdBinary>> query_etcd(std::string path, Deadline deadline);

/// The etcd to use: $ETCD_BIN, else from PATH, else from .deps/etcd-3.5 of the working directory.
/// Errors: kNotFound, with what was tried; those of query_etcd.
Task<Result<EtcdBinary>> find_etcd(Deadline deadline);

}  // namespace etcdmon::app::demo
