#include "bench/load/control.hpp"

#include <algorithm>
#include <charconv>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "bench/workload/data.hpp"
#include "net/http_get.hpp"
#include "net/resolver.hpp"
#include "rpc/connection.hpp"

namespace etcdmon::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatus = "/etcdserverpb.Maintenance/Status";
constexpr std::uint64_t kKeysAtOnce = 4'000;

}  // namespace

/// A connection to every endpoint, on a loop that runs only while somebody waits for an answer.
class Control::Lines {
 public:
  Lines(const RunSpec& spec, std::shared_ptr<net::TlsContext> tls)
      : spec_(spec), tls_(std::move(tls)), resolver_(loop_.get_executor()) {
    for (const auto& endpoint : spec.endpoints) {
      rpc::ConnectionOptions options;
      options.endpoint = endpoint;
      options.tls = tls_;
      options.dial_timeout = spec.dial_timeout;
      options.user_agent = "etcd-monitor-bench";
      lines_.push_back(std::make_unique<rpc::Connection>(loop_.get_executor(), resolver_,
                                                         std::move(options), Logger{}));
    }
  }
  ~Lines() {
    for (auto& line : lines_) run(closed(*line));
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  std::size_t size() const { return lines_.size(); }
  bool answers(std::size_t line, std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    return run(answer(*lines_[line], kStatus, {}, {}, deadline)).has_value();
  }

  Result<std::string> ask(std::size_t line, std::string_view path, const Body& body,
                          const std::string& token) {
    return run(answer(*lines_[line], path, std::string(as_text(body.view())), token, soon()));
  }
  Result<std::string> page(const net::Endpoint& endpoint) { return run(fetched(endpoint)); }

 private:
  template <class T>
  T run(Task<T> task) {
    std::optional<T> result;
    asio::co_spawn(loop_, std::move(task), [&result](const std::exception_ptr& exception, T value) {
      if (exception) std::rethrow_exception(exception);
      result.emplace(std::move(value));
    });
    loop_.restart();
    while (!result) loop_.run_one();
    return *std::move(result);
  }

  Deadline soon() const { return std::chrono::steady_clock::now() + spec_.dial_timeout; }

  Task<Result<std::string>> answer(rpc::Connection& line, std::string_view path,
                                   std::string request, std::string token, Deadline deadline) {
    rpc::Metadata metadata;
    if (!token.empty()) metadata.emplace_back("token", std::move(token));
    rpc::Call call{path, std::move(request), deadline, &metadata};
    co_return co_await line.unary(std::move(call));
  }
  static Task<bool> closed(rpc::Connection& line) {
    co_await line.close();
    co_return true;
  }
  Task<Result<std::string>> fetched(net::Endpoint endpoint) {
    net::HttpGetOptions options{.url = {.endpoint = std::move(endpoint), .target = "/metrics"},
                                .tls = tls_};
    net::HttpGet get(resolver_, std::move(options));
    auto page = co_await get.get(soon());
    if (!page) co_return page.error();
    if (page->status != 200) co_return Error{ErrorCode::kUnavailable, "no metrics"};
    co_return std::string(page->body);
  }

  const RunSpec& spec_;
  std::shared_ptr<net::TlsContext> tls_;
  Loop loop_{1};
  net::Resolver resolver_;
  std::vector<std::unique_ptr<rpc::Connection>> lines_;
};

Control::Control(const RunSpec& spec) : spec_(spec) {}
Control::~Control() = default;

Result<std::unique_ptr<Control>> Control::make(const RunSpec& spec) {
  std::shared_ptr<net::TlsContext> tls;
  if (spec.tls) {
    ETCDMON_TRY(tls, net::TlsContext::client(*spec.tls));
  }
  std::unique_ptr<Control> control(new Control(spec));
  control->lines_ = std::make_unique<Lines>(spec, std::move(tls));
  return control;
}

// The first endpoint that is there answers for the cluster.
Result<std::string> Control::ask(std::string_view path, const Body& body) {
  const auto token = tokens_.current().token;
  Result<std::string> answer;
  for (std::size_t i = 0; i < lines_->size(); ++i) {
    answer = lines_->ask(i, path, body, token);
    if (answer || answer.error().cause == Cause::kNone) return answer;
  }
  return answer;
}

Result<void> Control::login() {
  if (spec_.user.empty()) return {};
  Body body;
  body.text(1, spec_.user);
  body.text(2, spec_.password.reveal());
  Result<std::string> answer;
  for (std::size_t i = 0; i < lines_->size(); ++i) {
    answer = lines_->ask(i, path::kAuthenticate, body, {});
    if (answer || answer.error().cause == Cause::kNone) break;
  }
  if (!answer) return with_context(std::move(answer).error(), "logging in as " + spec_.user);
  Fields fields(std::as_bytes(std::span(*answer)));
  std::string token;
  while (const auto field = fields.next()) {
    if (field->number == 2) token = as_text(field->bytes);
  }
  tokens_.set(std::move(token));
  return {};
}

Result<std::vector<Control::MemberFacts>> Control::members() {
  std::vector<MemberFacts> members;
  std::optional<Error> first;
  const auto token = tokens_.current().token;
  for (std::size_t i = 0; i < lines_->size(); ++i) {
    auto answer = lines_->ask(i, kStatus, Body{}, token);
    if (!answer) {
      if (!first) first = with_context(std::move(answer).error(), spec_.endpoints[i].url());
      continue;
    }
    const auto message = std::as_bytes(std::span(*answer));
    MemberFacts facts{.endpoint = spec_.endpoints[i]};
    if (const auto header = read_header(message)) facts.id = header->member_id;
    Fields fields(message);
    while (const auto field = fields.next()) {
      if (field->number == 2) facts.version = as_text(field->bytes);
      if (field->number == 3) facts.db_size = field->value;
      if (field->number == 4) facts.leader = field->value;
      if (field->number == 6) facts.raft_term = field->value;
      if (field->number == 9) facts.db_size_in_use = field->value;
    }
    members.push_back(std::move(facts));
  }
  if (members.empty() && first) return *std::move(first);
  return members;
}

std::optional<std::uint64_t> Control::resident_memory() {
  constexpr std::string_view kName = "\nprocess_resident_memory_bytes ";
  std::optional<std::uint64_t> largest;
  for (const auto& endpoint : spec_.endpoints) {
    const auto page = lines_->page(endpoint);
    if (!page) continue;
    const auto at = page->find(kName);
    if (at == std::string::npos) continue;
    double value = 0;
    const auto* begin = page->data() + at + kName.size();
    std::from_chars(begin, page->data() + page->size(), value);
    largest = std::max(largest.value_or(0), static_cast<std::uint64_t>(value));
  }
  return largest;
}

bool Control::answers(std::chrono::milliseconds patience) {
  for (std::size_t i = 0; i < lines_->size(); ++i) {
    if (lines_->answers(i, patience)) return true;
  }
  return false;
}

Result<void> Control::settle() {
  for (int i = 0; i < 3; ++i) {
    Body grant;
    grant.number(1, 60);
    ETCDMON_TRY(const auto answer, ask(path::kLeaseGrant, grant));
    Fields fields(std::as_bytes(std::span(answer)));
    Body revoke;
    while (const auto field = fields.next()) {
      if (field->number == 2) revoke.number(1, field->value);
    }
    std::this_thread::sleep_for(300ms);
    ETCDMON_TRY([[maybe_unused]] const auto revoked, ask(path::kLeaseRevoke, revoke));
  }
  return {};
}

Result<std::vector<std::string>> Control::page_of_keys() {
  Body body;
  body.text(1, spec_.prefix);
  body.text(2, end_of_prefix(spec_.prefix));
  body.number(3, kKeysAtOnce);
  body.number(8, 1);  // keys only
  ETCDMON_TRY(const auto answer, ask(path::kRange, body));
  std::vector<std::string> keys;
  Fields fields(std::as_bytes(std::span(answer)));
  while (const auto field = fields.next()) {
    if (field->number != 2) continue;
    Fields inner(field->bytes);
    while (const auto part = inner.next()) {
      if (part->number == 1) keys.emplace_back(as_text(part->bytes));
    }
  }
  return keys;
}

Result<std::uint64_t> Control::remove_keys(const std::atomic<bool>* hurry) {
  std::uint64_t removed = 0;
  for (;;) {
    if (hurry != nullptr && *hurry) return removed;
    ETCDMON_TRY(const auto keys, page_of_keys());
    if (keys.empty()) return removed;
    Body body;
    body.text(1, keys.front());
    body.text(2, keys.back() + '\0');
    ETCDMON_TRY(const auto answer, ask(path::kDeleteRange, body));
    Fields fields(std::as_bytes(std::span(answer)));
    while (const auto field = fields.next()) {
      if (field->number == 2) removed += field->value;
    }
  }
}

}  // namespace etcdmon::bench
