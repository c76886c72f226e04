// `ctl get`.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/run/arguments.hpp"
#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/session.hpp"
#include "async/event.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

Parsed<etcd::Order> parse_order(const std::string& text) {
  const auto name = upper(text);
  if (name.empty()) return etcd::Order::kNone;
  if (name == "ASCEND") return etcd::Order::kAscending;
  if (name == "DESCEND") return etcd::Order::kDescending;
  return bad_feature(fmt::format("bad sort order {}", text));
}

Parsed<etcd::SortBy> parse_sort_by(const std::string& text) {
  const auto name = upper(text);
  if (name.empty() || name == "KEY") return etcd::SortBy::kKey;
  if (name == "CREATE") return etcd::SortBy::kCreate;
  if (name == "MODIFY") return etcd::SortBy::kModify;
  if (name == "VALUE") return etcd::SortBy::kValue;
  if (name == "VERSION") return etcd::SortBy::kVersion;
  return bad_feature(fmt::format("bad sort target {}", text));
}

// 0 and less: no bound, as the server counts.
std::int64_t bound(const FlagValues& flags, std::string_view name) {
  return std::max<std::int64_t>(0, flags.number(name));
}

}  // namespace

Parsed<etcd::GetOptions> parse_get(const Request& request) {
  const auto& flags = request.flags;
  if (request.arguments.empty())
    return misuse("get command needs one argument as key and an optional argument as range_end");
  if (flags.on("keys-only") && flags.on("count-only"))
    return misuse("`--keys-only` and `--count-only` cannot be set at the same time, choose one");
  auto range = parse_range(flags, request.arguments);
  if (!range) return tl::unexpected(range.error());
  const auto consistency = parse_consistency(flags);
  if (!consistency) return tl::unexpected(consistency.error());
  const auto order = parse_order(flags.text("order"));
  if (!order) return tl::unexpected(order.error());
  const auto sort_by = parse_sort_by(flags.text("sort-by"));
  if (!sort_by) return tl::unexpected(sort_by.error());
  etcd::GetOptions options{.range = *std::move(range),
                           .limit = flags.number("limit"),
                           .revision = bound(flags, "rev"),
                           .consistency = *consistency,
                           .order = *order,
                           .sort_by = *sort_by,
                           .keys_only = flags.on("keys-only"),
                           .count_only = flags.on("count-only"),
                           .min_mod_revision = bound(flags, "min-mod-rev"),
                           .max_mod_revision = bound(flags, "max-mod-rev"),
                           .min_create_revision = bound(flags, "min-create-rev"),
                           .max_create_revision = bound(flags, "max-create-rev")};
  if (options.max_create_revision > 0 && options.min_create_revision > options.max_create_revision)
    return bad_feature(fmt::format("getMinCreateRev(={}) > getMaxCreateRev(={})",
                                   options.min_create_revision, options.max_create_revision));
  if (options.max_mod_revision > 0 && options.min_mod_revision > options.max_mod_revision)
    return bad_feature(fmt::format("getMinModRev(={}) > getMaxModRev(={})",
                                   options.min_mod_revision, options.max_mod_revision));
  return options;
}

namespace {

// What only some formats can show.
std::optional<Exit> refused(const FlagValues& flags) {
  const auto format = flags.text("write-out");
  if (flags.on("count-only") && format != "fields")
    return bad_arguments("--count-only is only for `--write-out=fields`");
  if (flags.on("print-value-only") && format != "simple")
    return bad_arguments("print-value-only is only for `--write-out=simple`");
  return std::nullopt;
}

Exit printed(const Printer& printer) {
  if (printer.error().empty()) return {};
  return {ExitCode::kBadFeature, printer.error()};
}

// One page on its way while another is printed. Shared with the task that fetches it: whichever of
// the two is interrupted first.
struct Pages {
  using Page = Result<std::optional<wire::RangeResponse>>;

  Pages(etcd::Channel& channel, etcd::GetOptions options) : range(channel, std::move(options)) {}

  etcd::RangePages range;
  Page next{};
  async::Event there{};
};

Task<> fetch(std::shared_ptr<Pages> pages, Deadline deadline) {
  pages->next = co_await pages->range.next(deadline);
  pages->there.set();
}

// Memory for two pages, however many keys there are.
Task<Exit> print_pages(Session& session, etcd::GetOptions options, Printer& printer) {
  const auto pages = std::make_shared<Pages>(session.cluster(), std::move(options));
  RangePart part{.first = true, .last = false};
  session.side_tasks().spawn("get page", fetch(pages, session.deadline()));
  while (!part.last) {
    co_await pages->there.wait();
    pages->there.reset();
    const auto page = std::move(pages->next);
    if (!page) co_return failed(page.error());
    part.last = pages->range.done();
    if (!part.last) {
      session.side_tasks().spawn("get page", fetch(pages, session.deadline()));
      co_await async::yield();  // the request leaves before we print
      co_await async::yield();
    }
    printer.get(**page, part);
    if (!printer.error().empty()) break;
    if (!printer.flush()) co_return Exit{ExitCode::kIo, "standard output does not take any more"};
    part.first = false;
  }
  co_return printed(printer);
}

}  // namespace

Task<Exit> run_get(Session& session, const Request& request, Printer& printer) {
  auto options = parse_get(request);
  if (!options) co_return std::move(options).error();
  if (auto refusal = refused(request.flags)) co_return *std::move(refusal);
  if (etcd::RangePages::can_page(*options))
    co_return co_await print_pages(session, *std::move(options), printer);
  etcd::Kv kv(session.cluster());
  auto reply = co_await kv.get(*std::move(options), session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.get(*reply, RangePart{});
  co_return printed(printer);
}

}  // namespace etcdmon::app::cli::ctl
