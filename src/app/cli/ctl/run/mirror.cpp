// `ctl make-mirror`.
#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/run/arguments.hpp"
#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/session.hpp"
#include "etcd/watch.hpp"
#include "net/tls.hpp"
#include "wire/rpc.pb.h"
#include "wire/watch.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

constexpr std::chrono::seconds kTell{30};

struct Mapping {
  std::string from{};  ///< prefix here
  std::string to{};    ///< and there

  std::string operator()(const std::string& key) const {
    return from == to ? key : to + key.substr(std::min(key.size(), from.size()));
  }
};

// Puts and deletes at the destination, so many in one transaction. Making one twice does no harm.
class Destination {
 public:
  Destination(Session& session, etcd::Channel& channel, std::size_t most)
      : session_(session), kv_(channel), most_(most) {}

  Task<Result<void>> put(std::string key, std::string value) {
    auto& put = *next_.add_success()->mutable_request_put();
    put.set_key(std::move(key));
    put.set_value(std::move(value));
    return flush_when(static_cast<std::size_t>(next_.success_size()) >= most_);
  }
  Task<Result<void>> remove(std::string key) {
    next_.add_success()->mutable_request_delete_range()->set_key(std::move(key));
    return flush_when(static_cast<std::size_t>(next_.success_size()) >= most_);
  }
  Task<Result<void>> flush() { return flush_when(next_.success_size() > 0); }
  std::shared_ptr<const std::int64_t> total() const { return total_; }

 private:
  Task<Result<void>> flush_when(bool due) {
    if (!due) co_return Result<void>{};
    const auto reply = co_await kv_.repeatable_txn(std::exchange(next_, {}), session_.deadline());
    if (!reply) co_return with_context(reply.error(), "writing to the destination");
    *total_ += reply->responses_size();
    co_return Result<void>{};
  }

  Session& session_;
  etcd::Kv kv_;
  std::size_t most_;
  wire::TxnRequest next_;
  std::shared_ptr<std::int64_t> total_ = std::make_shared<std::int64_t>(0);
};

Task<Result<etcd::Channel*>> open_destination(Session& session, const Request& request) {
  const auto& flags = request.flags;
  etcd::ChannelOptions options = session.channel_options();
  options.tls = nullptr;
  options.tokens = nullptr;
  bool any_tls = false;
  const bool tls_is_standard = !flags.text("dest-cacert").empty() ||
                               !flags.text("dest-cert").empty() ||
                               !flags.on("dest-insecure-transport");
  for (const auto& text : split_list(request.arguments[0])) {
    auto endpoint = net::parse_endpoint(text);
    if (!endpoint) co_return std::move(endpoint).error();
    if (!endpoint->scheme_given) endpoint->tls = tls_is_standard;
    any_tls = any_tls || endpoint->tls;
    options.endpoints.push_back(*std::move(endpoint));
  }
  if (any_tls) {
    net::TlsOptions tls{.ca_file = flags.text("dest-cacert"),
                        .cert_file = flags.text("dest-cert"),
                        .key_file = flags.text("dest-key")};
    auto context = net::TlsContext::client(std::move(tls));
    if (!context) co_return std::move(context).error();
    options.tls = *std::move(context);
  }
  auto user = flags.text("dest-user");
  if (!user.empty()) {
    Secret password(flags.text("dest-password"));
    const auto colon = user.find(':');
    if (password.empty() && colon != std::string::npos) {
      password = Secret(user.substr(colon + 1));
      user.resize(colon);
    } else if (password.empty()) {
      auto typed = co_await session.terminal().read_password("Destination Password: ");
      if (!typed) co_return std::move(typed).error();
      password = *std::move(typed);
    }
    etcd::Credentials credentials{std::move(user), std::move(password)};
    options.tokens = etcd::make_token_source(std::move(credentials));
  }
  co_return &session.another(std::move(options));
}

// Everything that is there now; the revision it was read at.
Task<Result<std::int64_t>> copy_present(Session& session, etcd::KeyRange range,
                                        const Mapping& mapping, Destination& destination) {
  etcd::GetOptions options{.range = std::move(range)};
  etcd::RangePages pages(session.cluster(), std::move(options));
  std::int64_t revision = 0;
  while (!pages.done()) {
    auto page = co_await pages.next(session.deadline());
    if (!page) co_return std::move(page).error();
    if (revision == 0) revision = (*page)->header().revision();
    for (auto& kv : *(*page)->mutable_kvs()) {
      auto key = mapping(kv.key());
      const auto put = co_await destination.put(std::move(key), std::move(*kv.mutable_value()));
      if (!put) co_return put.error();
    }
  }
  const auto flushed = co_await destination.flush();
  if (!flushed) co_return flushed.error();
  co_return revision;
}

// What changes, revision by revision, without end.
Task<Result<void>> follow(Session& session, etcd::WatchOptions options, const Mapping& mapping,
                          Destination& destination) {
  etcd::Watch watch(session.cluster(), std::move(options));
  std::int64_t last = 0;
  for (;;) {
    auto response = co_await watch.next();
    if (!response) co_return std::move(response).error();
    for (const auto& event : response->events()) {
      // A transaction may not touch a key twice, and what was one change stays one.
      if (event.kv().mod_revision() != std::exchange(last, event.kv().mod_revision())) {
        const auto flushed = co_await destination.flush();
        if (!flushed) co_return flushed;
      }
      auto key = mapping(event.kv().key());
      auto change = event.type() == wire::Event::DELETE
                        ? destination.remove(std::move(key))
                        : destination.put(std::move(key), event.kv().value());
      const auto changed = co_await std::move(change);
      if (!changed) co_return changed;
    }
    const auto flushed = co_await destination.flush();
    if (!flushed) co_return flushed;
  }
}

Task<> tell_now_and_then(std::shared_ptr<const std::int64_t> total, Printer& printer) {
  for (;;) {
    co_await async::sleep_for(kTell);
    printer.line(std::to_string(*total));
    printer.flush();
  }
}

Task<Result<void>> mirror(Session& session, const Request& request, const Mapping& mapping,
                          Destination& destination) {
  const auto& flags = request.flags;
  auto range = etcd::KeyRange::prefix(flags.text("prefix"));
  auto revision = std::max<std::int64_t>(0, flags.number("rev") - 1);
  if (revision == 0) {
    const auto copied = co_await copy_present(session, range, mapping, destination);
    if (!copied) co_return copied.error();
    revision = *copied;
  }
  etcd::WatchOptions options{
      .range = std::move(range), .start_revision = revision + 1, .fragment = true};
  co_return co_await follow(session, std::move(options), mapping, destination);
}

}  // namespace

Task<Exit> run_make_mirror(Session& session, const Request& request, Printer& printer) {
  if (request.arguments.size() != 1)
    co_return bad_arguments("make-mirror takes one destination argument");
  const auto& flags = request.flags;
  if (flags.on("no-dest-prefix") && !flags.text("dest-prefix").empty())
    co_return bad_arguments(
        "`--dest-prefix` and `--no-dest-prefix` cannot be set at the same time, choose one");
  const auto channel = co_await open_destination(session, request);
  if (!channel) co_return bad_arguments(channel.error().message);
  Mapping mapping{.from = flags.text("prefix"), .to = flags.text("dest-prefix")};
  if (mapping.to.empty() && !flags.on("no-dest-prefix")) mapping.to = mapping.from;
  const auto most =
      static_cast<std::size_t>(std::max<std::int64_t>(1, flags.number("max-txn-ops")));
  Destination destination(session, **channel, most);
  session.side_tasks().spawn("mirror total", tell_now_and_then(destination.total(), printer));
  const auto ended = co_await mirror(session, request, mapping, destination);
  co_return failed(ended.error());
}

}  // namespace etcdmon::app::cli::ctl
