// `ctl du`: where the keys and bytes of a cluster are.
#include <algorithm>
#include <chrono>
#include <utility>

#include "app/cli/ctl/du/usage.hpp"
#include "app/cli/ctl/run/arguments.hpp"
#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/session.hpp"
#include "async/task.hpp"
#include "etcd/kv.hpp"
#include "etcd/maintenance.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

using std::chrono::steady_clock;

// Small pages: a large one would hold the member's other readers up.
constexpr std::size_t kPageBytes = 1U << 20U;

// A follower has time: everything else asks the leader.
Task<etcd::Channel*> follower(Session& session) {
  if (session.cluster().size() < 2) co_return &session.cluster();
  auto endpoints = co_await session.each(false);
  if (!endpoints) co_return &session.cluster();
  for (auto& endpoint : *endpoints) {
    etcd::Maintenance maintenance(*endpoint.channel);
    auto status = co_await maintenance.status(session.deadline());
    if (status && status->leader() != status->header().member_id()) co_return endpoint.channel;
  }
  co_return &session.cluster();
}

// How long to wait so that no more than `rate` keys a second were read since `begun`.
std::chrono::nanoseconds pause(steady_clock::time_point begun, std::int64_t keys,
                               std::int64_t rate) {
  if (rate <= 0) return {};
  const auto due = begun + std::chrono::nanoseconds(keys * 1'000'000'000 / rate);
  return std::max<std::chrono::nanoseconds>(due - steady_clock::now(), {});
}

}  // namespace

Task<Exit> run_du(Session& session, const Request& request, Printer& printer) {
  if (request.arguments.size() > 1) co_return bad_arguments("du command takes one prefix at most");
  const auto format = parse_format(request.flags.text("write-out"));
  if (!format ||
      (*format != Format::kSimple && *format != Format::kJson && *format != Format::kTable)) {
    co_return Exit{ExitCode::kBadFeature, "du prints a table, or json"};
  }
  const std::string prefix = request.arguments.empty() ? "" : request.arguments.front();
  const auto depth = std::clamp<std::int64_t>(request.flags.number("depth"), 0, 64);
  Usage usage(prefix, static_cast<std::size_t>(depth));
  auto* const channel = co_await follower(session);
  etcd::RangePages pages(
      *channel,
      {.range = etcd::KeyRange::prefix(prefix), .consistency = etcd::Consistency::kSerializable},
      kPageBytes);
  const auto begun = steady_clock::now();
  while (!pages.done()) {
    auto page = co_await pages.next(session.deadline());
    if (!page) co_return failed(page.error());
    if (!*page) break;
    for (const auto& kv : (*page)->kvs()) usage.add(kv);
    co_await async::sleep_for(pause(begun, usage.total().keys, request.flags.number("rate")));
  }
  const auto top = std::max<std::int64_t>(request.flags.number("top"), 0);
  printer.line(to_text(usage, static_cast<std::size_t>(top), *format));
  co_return Exit{};
}

}  // namespace etcdmon::app::cli::ctl
