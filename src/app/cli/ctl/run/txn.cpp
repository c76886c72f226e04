// `ctl txn` and `ctl compaction`.
#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/input/txn_language.hpp"
#include "app/cli/ctl/run/arguments.hpp"
#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/run/consent.hpp"
#include "app/cli/ctl/session.hpp"
#include "app/cli/ctl/text/go_text.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

Parsed<wire::RequestOp> operation_of(const TxnOperation& line) {
  if (line.command == "put") {
    auto options = parse_put(line.request);
    if (!options) return tl::unexpected(options.error());
    // Standard input is the transaction: no value can come from there.
    if (line.request.arguments.size() == 1 && !options->keep_value)
      return misuse("put command needs 1 argument and input from stdin or 2 arguments");
    return etcd::operation(*std::move(options));
  }
  if (line.command == "del") {
    auto options = parse_del(line.request);
    if (!options) return tl::unexpected(options.error());
    return etcd::operation(*std::move(options));
  }
  auto options = parse_get(line.request);
  if (!options) return tl::unexpected(options.error());
  return etcd::operation(*std::move(options));
}

Parsed<wire::TxnRequest> request_of(const TxnReader& reader) {
  wire::TxnRequest request;
  for (const auto& compare : reader.compares()) *request.add_compare() = compare;
  for (const auto& line : reader.success()) {
    auto operation = operation_of(line);
    if (!operation) return tl::unexpected(operation.error());
    *request.add_success() = *std::move(operation);
  }
  for (const auto& line : reader.failure()) {
    auto operation = operation_of(line);
    if (!operation) return tl::unexpected(operation.error());
    *request.add_failure() = *std::move(operation);
  }
  return request;
}

// Reads standard input up to the end of the third part.
Task<Parsed<wire::TxnRequest>> read_transaction(Session& session, bool interactive,
                                                Printer& printer) {
  TxnReader reader;
  auto prompted = TxnReader::Part::kDone;
  while (reader.part() != TxnReader::Part::kDone) {
    if (interactive && reader.part() != std::exchange(prompted, reader.part())) {
      printer.line(reader.prompt());
      printer.flush();
    }
    auto line = co_await session.terminal().read_line();
    if (!line) co_return tl::unexpected(Exit{ExitCode::kInvalidInput, line.error().message});
    if (!*line) {
      // etcdctl takes each line apart at once: what is wrong in one comes before the missing rest.
      if (auto wrong = request_of(reader); !wrong) co_return tl::unexpected(wrong.error());
      co_return tl::unexpected(Exit{ExitCode::kInvalidInput, "EOF"});
    }
    if (auto refused = reader.take(**line)) co_return tl::unexpected(*std::move(refused));
  }
  co_return request_of(reader);
}

// What a compaction would forget.
Task<Result<Plan>> compaction_plan(Session& session, std::int64_t revision) {
  etcd::Kv kv(session.cluster());
  etcd::GetOptions options{.range = etcd::KeyRange::one("health"), .count_only = true};
  const auto now = co_await kv.get(std::move(options), session.deadline());
  if (!now) co_return now.error();
  const auto newest = now->header().revision();
  Plan plan{.question = fmt::format("Compact up to revision {}?", revision)};
  plan.lines.push_back(fmt::format(
      "The cluster is at revision {}. What keys were before revision {} is forgotten for good; "
      "watches that lag behind it must begin anew.",
      newest, revision));
  co_return plan;
}

}  // namespace

Task<Exit> run_txn(Session& session, const Request& request, Printer& printer) {
  if (!request.arguments.empty()) co_return bad_arguments("txn command does not accept argument");
  auto transaction = co_await read_transaction(session, request.flags.on("interactive"), printer);
  if (!transaction) co_return std::move(transaction).error();
  etcd::Kv kv(session.cluster());
  const auto reply = co_await kv.txn(*std::move(transaction), session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.txn(*reply);
  co_return Exit{};
}

Task<Exit> run_compaction(Session& session, const Request& request, Printer& printer) {
  if (request.arguments.size() != 1) co_return bad_arguments("compaction command needs 1 argument");
  const auto revision = parse_go_int(request.arguments[0], 10);
  if (!revision) co_return failed(revision.error());
  if (request.flags.on("dry-run") || session.terminal().somebody_is_there()) {
    auto plan = co_await compaction_plan(session, *revision);
    if (!plan) co_return failed(plan.error());
    const auto stop = co_await consent(session, request.flags, *std::move(plan));
    if (stop) co_return *stop;
  }
  etcd::Kv kv(session.cluster());
  const etcd::CompactOptions options{*revision, request.flags.on("physical")};
  const auto reply = co_await kv.compact(options, session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.line(fmt::format("compacted revision {}", *revision));
  co_return Exit{};
}

}  // namespace etcdmon::app::cli::ctl
