// `ctl del`.
#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/run/arguments.hpp"
#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/run/consent.hpp"
#include "app/cli/ctl/session.hpp"
#include "app/cli/ctl/text/go_text.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

Parsed<etcd::DeleteOptions> parse_del(const Request& request) {
  const auto& arguments = request.arguments;
  if (arguments.empty() || arguments.size() > 2)
    return misuse("del command needs one argument as key and an optional argument as range_end");
  auto range = parse_range(request.flags, arguments);
  if (!range) return tl::unexpected(range.error());
  return etcd::DeleteOptions{*std::move(range), request.flags.on("prev-kv")};
}

namespace {

// How many keys would go. Only a count is asked.
Task<Result<std::int64_t>> count(Session& session, etcd::KeyRange range) {
  etcd::Kv kv(session.cluster());
  etcd::GetOptions options{.range = std::move(range), .count_only = true};
  auto reply = co_await kv.get(std::move(options), session.deadline());
  if (!reply) co_return std::move(reply).error();
  co_return reply->count();
}

}  // namespace

Task<Exit> run_del(Session& session, const Request& request, Printer& printer) {
  auto options = parse_del(request);
  if (!options) co_return std::move(options).error();
  const bool everything = options->range.is_all();
  if (everything || request.flags.on("dry-run")) {
    const auto keys = co_await count(session, options->range);
    if (!keys) co_return failed(keys.error());
    Plan plan{.question = "Delete every key of this cluster?"};
    plan.lines.push_back(everything
                             ? fmt::format("This deletes every key of the cluster: {} keys.", *keys)
                             : fmt::format("This deletes {} keys.", *keys));
    const auto stop = co_await consent(session, request.flags, std::move(plan));
    if (stop) co_return *stop;
  } else if (request.arguments.size() == 2 && !request.flags.on("range") &&
             session.terminal().somebody_is_there()) {
    Terminal::note(fmt::format(
        "Warning: Keys between {} and {} will be deleted. Please interrupt the command within "
        "next 2 seconds to cancel. You can provide `--range` flag to avoid the delay.",
        go_quoted(request.arguments[0]), go_quoted(request.arguments[1])));
    co_await async::sleep_for(std::chrono::seconds(2));
  }
  etcd::Kv kv(session.cluster());
  auto reply = co_await kv.del(*std::move(options), session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.del(*reply);
  co_return Exit{};
}

}  // namespace etcdmon::app::cli::ctl
