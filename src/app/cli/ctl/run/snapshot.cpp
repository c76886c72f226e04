// `ctl snapshot save` and `ctl downgrade`.
#include "etcd/snapshot.hpp"

#include <cstdio>
#include <functional>
#include <optional>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/session.hpp"
#include "etcd/maintenance.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

using std::chrono::steady_clock;

// One line that is written over, on a terminal only.
class Progress {
 public:
  void operator()(std::uint64_t done, std::uint64_t total) {
    const auto now = steady_clock::now();
    if (now - shown_ < std::chrono::milliseconds(200)) return;
    shown_ = now;
    any_ = true;
    fmt::print(stderr, "\r{:.1f} of {:.1f} MB ", static_cast<double>(done) / 1e6,
               static_cast<double>(total) / 1e6);
  }
  void clear() const {
    if (any_) fmt::print(stderr, "\r\x1b[K");
  }

 private:
  steady_clock::time_point shown_{};
  bool any_ = false;
};

Task<Exit> downgrade(Session& session, etcd::DowngradeOptions options, DowngradeStep step,
                     Printer& printer) {
  etcd::Maintenance maintenance(session.cluster());
  const auto reply = co_await maintenance.downgrade(std::move(options), session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.downgrade(step, *reply);
  co_return Exit{};
}

std::optional<Exit> bad_version(const Request& request) {
  if (request.arguments.empty()) return bad_arguments("TARGET_VERSION not provided");
  if (request.arguments.size() > 1) return bad_arguments("too many arguments");
  if (request.arguments[0].empty()) return bad_arguments("target version not provided");
  return std::nullopt;
}

}  // namespace

Task<Exit> run_snapshot_save(Session& session, const Request& request, Printer& printer) {
  if (request.arguments.size() != 1)
    co_return bad_arguments("snapshot save expects one argument <filename>");
  const auto endpoints = request.flags.list("endpoints");
  if (endpoints.size() > 1)
    co_return bad_arguments(
        fmt::format("snapshot must be requested to one selected node, not multiple [{}]",
                    fmt::join(endpoints, " ")));
  Progress progress;
  etcd::SaveSnapshotOptions options{.path = request.arguments[0]};
  if (session.timeout_was_given()) options.deadline = session.deadline();
  if (isatty(STDERR_FILENO) == 1) options.on_progress = std::ref(progress);
  const auto saved =
      co_await etcd::save_snapshot(session.cluster(), session.files(), std::move(options));
  progress.clear();
  if (!saved) co_return Exit{ExitCode::kInterrupted, saved.error().message};
  printer.line(fmt::format("Snapshot saved at {}", request.arguments[0]));
  if (!saved->version.empty()) printer.line(fmt::format("Server version {}", saved->version));
  co_return Exit{};
}

Task<Exit> run_downgrade_validate(Session& session, const Request& request, Printer& printer) {
  if (auto bad = bad_version(request)) co_return *std::move(bad);
  etcd::DowngradeOptions options{etcd::DowngradeOptions::Action::kValidate, request.arguments[0]};
  co_return co_await downgrade(session, std::move(options), DowngradeStep::kValidate, printer);
}

Task<Exit> run_downgrade_enable(Session& session, const Request& request, Printer& printer) {
  if (auto bad = bad_version(request)) co_return *std::move(bad);
  etcd::DowngradeOptions options{etcd::DowngradeOptions::Action::kEnable, request.arguments[0]};
  co_return co_await downgrade(session, std::move(options), DowngradeStep::kEnable, printer);
}

Task<Exit> run_downgrade_cancel(Session& session, const Request& /*request*/, Printer& printer) {
  etcd::DowngradeOptions options{.action = etcd::DowngradeOptions::Action::kCancel};
  co_return co_await downgrade(session, std::move(options), DowngradeStep::kCancel, printer);
}

}  // namespace etcdmon::app::cli::ctl
