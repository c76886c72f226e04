#include "net/resolver.hpp"

#include <algorithm>
#include <arpa/nameser.h>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <map>
#include <mutex>
#include <netdb.h>
#include <optional>
#include <resolv.h>
#include <system_error>
#include <thread>
#include <variant>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "base/assert.hpp"
#include "net/detail/srv_answer.hpp"

namespace etcdmon::net {

namespace {

using asio::ip::tcp;

constexpr std::size_t kMaxThreads = 4;

using Addresses = Result<std::vector<asio::ip::address>>;
using Targets = Result<std::vector<SrvTarget>>;
using Outcome = std::variant<std::monostate, Addresses, Targets>;

enum class Kind : std::uint8_t { kAddresses, kSrv };

Error dns_error(std::string_view name, std::string_view why) {
  return Error{ErrorCode::kUnavailable, fmt::format("resolve {}: {}", name, why), Cause::kDns};
}

Addresses look_up_addresses(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failure = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (failure != 0) {
    const int error_number = errno;
    return dns_error(host, failure == EAI_SYSTEM ? std::generic_category().message(error_number)
                                                 : std::string(::gai_strerror(failure)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  std::vector<asio::ip::address> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    tcp::endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    std::copy_n(reinterpret_cast<const std::byte*>(entry->ai_addr), entry->ai_addrlen,
                reinterpret_cast<std::byte*>(endpoint.data()));
    endpoint.resize(entry->ai_addrlen);
    if (std::ranges::find(addresses, endpoint.address()) == addresses.end()) {
      addresses.push_back(endpoint.address());
    }
  }
  if (addresses.empty()) return dns_error(host, "the name has no address");
  return addresses;
}

Targets look_up_srv(const std::string& name) {
  struct __res_state state{};
  if (::res_ninit(&state) != 0) return dns_error(name, "the system's resolver cannot be set up");
  std::vector<std::uint8_t> answer(NS_MAXMSG);
  const int length = ::res_nquery(&state, name.c_str(), ns_c_in, ns_t_srv, answer.data(),
                                  static_cast<int>(answer.size()));
  const int failure = state.res_h_errno;
  ::res_nclose(&state);
  if (length < 0) {
    if (failure == HOST_NOT_FOUND || failure == NO_DATA) {
      return Error{ErrorCode::kNotFound, fmt::format("resolve SRV {}: no record", name)};
    }
    return dns_error("SRV " + name, ::hstrerror(failure));
  }
  return detail::parse_srv_answer(
      name, std::span(answer).first(std::min(static_cast<std::size_t>(length), answer.size())));
}

// One question to the system, shared by all coroutines that ask it at the same time, so that a
// name whose server is dead occupies one thread and not all of them.
struct Lookup {
  enum class Stage : std::uint8_t { kQueued, kRunning, kAbandoned };

  Kind kind;
  std::string name;
  std::atomic<Stage> stage{Stage::kQueued};
  // The rest belongs to the loop.
  std::vector<Timer*> waiters{};
  Outcome outcome{};
};

using Key = std::pair<Kind, std::string>;

Outcome too_late(const Key& key) {
  const Error late{ErrorCode::kDeadlineExceeded,
                   fmt::format("resolve {}: no answer from DNS in time", key.second), Cause::kDns};
  if (key.first == Kind::kAddresses) return Outcome(Addresses(late));
  return Outcome(Targets(late));
}

}  // namespace

// Held by the resolver and by each thread: a thread that hangs in the system's resolver keeps it
// alive, and finds it stopped when it comes back.
struct Resolver::State {
  explicit State(Executor e) : executor(e) {}

  Executor executor;
  std::map<Key, std::shared_ptr<Lookup>> under_way;  // the loop's

  std::mutex mutex;  // guards what follows
  std::condition_variable wake;
  std::deque<std::shared_ptr<Lookup>> queue;
  std::size_t threads = 0;
  std::size_t idle = 0;
  bool stopped = false;

  static void work(const std::shared_ptr<State>& state);
  static bool enqueue(const std::shared_ptr<State>& state, std::shared_ptr<Lookup> lookup);
  static Task<Outcome> ask(std::shared_ptr<State> state, Key key, Deadline deadline);
  void deliver(Lookup& lookup, Outcome outcome);
  void leave(const std::shared_ptr<Lookup>& lookup, Timer* timer);
};

void Resolver::State::work(const std::shared_ptr<State>& state) {
  std::unique_lock lock(state->mutex);
  for (;;) {
    ++state->idle;
    state->wake.wait(lock, [&] { return state->stopped || !state->queue.empty(); });
    --state->idle;
    if (state->stopped) return;
    auto lookup = std::move(state->queue.front());
    state->queue.pop_front();
    auto expected = Lookup::Stage::kQueued;
    if (!lookup->stage.compare_exchange_strong(expected, Lookup::Stage::kRunning)) continue;

    lock.unlock();
    Outcome outcome;
    if (lookup->kind == Kind::kAddresses) {
      outcome = look_up_addresses(lookup->name);
    } else {
      outcome = look_up_srv(lookup->name);
    }
    lock.lock();
    // Under the lock: once stopped, the loop may be gone.
    if (state->stopped) return;
    asio::post(state->executor, [state, lookup, outcome = std::move(outcome)]() mutable {
      state->deliver(*lookup, std::move(outcome));
    });
  }
}

bool Resolver::State::enqueue(const std::shared_ptr<State>& state, std::shared_ptr<Lookup> lookup) {
  const std::lock_guard lock(state->mutex);
  state->queue.push_back(std::move(lookup));
  if (state->idle >= state->queue.size() || state->threads == kMaxThreads) {
    state->wake.notify_one();
    return true;
  }
  // Signals are for the main thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread(&State::work, state).detach();
    ++state->threads;
  } catch (const std::system_error&) {
    // A thread less is slower, none at all is an error.
    if (state->threads == 0) state->queue.pop_back();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  state->wake.notify_one();
  return state->threads > 0;
}

void Resolver::State::deliver(Lookup& lookup, Outcome outcome) {
  lookup.outcome = std::move(outcome);
  under_way.erase(Key(lookup.kind, lookup.name));
  for (auto* timer : lookup.waiters) timer->cancel();
}

void Resolver::State::leave(const std::shared_ptr<Lookup>& lookup, Timer* timer) {
  std::erase(lookup->waiters, timer);
  if (!lookup->waiters.empty()) return;
  auto expected = Lookup::Stage::kQueued;
  if (lookup->stage.compare_exchange_strong(expected, Lookup::Stage::kAbandoned)) {
    under_way.erase(Key(lookup->kind, lookup->name));
  }
}

Task<Outcome> Resolver::State::ask(std::shared_ptr<State> state, Key key, Deadline deadline) {
  if (deadline <= std::chrono::steady_clock::now()) co_return too_late(key);
  auto& entry = state->under_way[key];
  if (!entry) {
    entry = std::make_shared<Lookup>(key.first, key.second);
    if (!enqueue(state, entry)) {
      state->under_way.erase(key);
      co_return Outcome(std::monostate{});
    }
  }
  const std::shared_ptr<Lookup> lookup = entry;

  // On the list for exactly as long as this frame lives.
  struct Waiting {
    Waiting(State& s, std::shared_ptr<Lookup> l, Timer& t)
        : owner(s), joined(std::move(l)), timer(&t) {
      joined->waiters.push_back(timer);
    }
    ~Waiting() { owner.leave(joined, timer); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

    State& owner;
    std::shared_ptr<Lookup> joined;
    Timer* timer;
  };
  Timer timer(state->executor, deadline);
  const Waiting waiting(*state, lookup, timer);
  co_await timer.async_wait(as_result);
  // An answer ends the wait by cancelling the timer; our own state tells that from being cancelled.
  const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  if (lookup->outcome.index() != 0) co_return lookup->outcome;
  co_return too_late(key);
}

Resolver::Resolver(Executor executor) : state_(std::make_shared<State>(executor)) {}

Resolver::~Resolver() {
  const std::lock_guard lock(state_->mutex);
  state_->stopped = true;
  state_->queue.clear();
  state_->wake.notify_all();
}

Task<Result<std::vector<tcp::endpoint>>> Resolver::resolve(std::string host, std::uint16_t port,
                                                           Deadline deadline) {
  boost::system::error_code no_literal;
  const auto literal = asio::ip::make_address(host, no_literal);
  if (!no_literal) co_return std::vector{tcp::endpoint(literal, port)};

  Key key(Kind::kAddresses, host);
  const Outcome outcome = co_await State::ask(state_, std::move(key), deadline);
  const auto* addresses = std::get_if<Addresses>(&outcome);
  if (addresses == nullptr) {
    co_return Error{ErrorCode::kUnavailable, "resolve " + host + ": no thread can be started",
                    Cause::kLocal};
  }
  if (!*addresses) co_return addresses->error();
  std::vector<tcp::endpoint> endpoints;
  endpoints.reserve((*addresses)->size());
  for (const auto& address : **addresses) endpoints.emplace_back(address, port);
  co_return endpoints;
}

Task<Result<std::vector<SrvTarget>>> Resolver::resolve_srv(std::string name, Deadline deadline) {
  Key key(Kind::kSrv, name);
  const Outcome outcome = co_await State::ask(state_, std::move(key), deadline);
  const auto* targets = std::get_if<Targets>(&outcome);
  if (targets == nullptr) {
    co_return Error{ErrorCode::kUnavailable, "resolve " + name + ": no thread can be started",
                    Cause::kLocal};
  }
  co_return *targets;
}

}  // namespace etcdmon::net
