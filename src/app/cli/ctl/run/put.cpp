// `ctl put`.
#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/run/arguments.hpp"
#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/session.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

constexpr const char* kUsage = "put command needs 1 argument and input from stdin or 2 arguments";

}  // namespace

Parsed<etcd::PutOptions> parse_put(const Request& request) {
  const auto& flags = request.flags;
  const auto& arguments = request.arguments;
  if (arguments.empty()) return misuse(kUsage);
  etcd::PutOptions options{.key = arguments[0],
                           .previous = flags.on("prev-kv"),
                           .keep_value = flags.on("ignore-value"),
                           .keep_lease = flags.on("ignore-lease")};
  if (options.keep_value && arguments.size() > 1)
    return misuse("put command needs only 1 argument when 'ignore-value' is set");
  if (arguments.size() > 2) return misuse(kUsage);
  if (arguments.size() > 1) options.value = arguments[1];
  const auto lease = parse_lease(flags.text("lease"));
  if (!lease) return tl::unexpected(lease.error());
  options.lease = *lease;
  return options;
}

Task<Exit> run_put(Session& session, const Request& request, Printer& printer) {
  auto options = parse_put(request);
  if (!options) co_return std::move(options).error();
  if (request.arguments.size() == 1 && !options->keep_value) {
    auto value = co_await session.terminal().read_rest();
    if (!value) co_return bad_arguments(value.error().message);
    if (value->empty()) co_return bad_arguments(kUsage);
    options->value = *std::move(value);
  }
  etcd::Kv kv(session.cluster());
  auto reply = co_await kv.put(*std::move(options), session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.put(*reply);
  co_return Exit{};
}

}  // namespace etcdmon::app::cli::ctl
