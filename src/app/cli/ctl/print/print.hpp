// app/cli/ctl/print/print.hpp: replies as etcdctl prints them, byte for byte.
#pragma once

#include "app/cli/ctl/print/output.hpp"
#include "app/cli/ctl/print/reply.hpp"
#include "base/result.hpp"

namespace etcdmon::app::cli::ctl {

/// Errors: kUnimplemented: this reply has no such format ("table not supported as output format");
///         the exit code is 4.
Result<Printed> print(const Reply& reply, const Output& output);

/// Values below /registry/secrets/ make room for a remark. Without them nobody's screen, log or
/// shell history holds what Kubernetes keeps secret.
void redact(wire::RangeResponse& message);
void redact(wire::PutResponse& message);
void redact(wire::DeleteRangeResponse& message);
void redact(wire::TxnResponse& message);
void redact(wire::WatchResponse& message);

}  // namespace etcdmon::app::cli::ctl
