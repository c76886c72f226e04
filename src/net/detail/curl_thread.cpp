#include "net/detail/curl_thread.hpp"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <pthread.h>

#include "base/assert.hpp"

namespace etcdmon::net::detail {

namespace {

constexpr int kPollMilliseconds = 1'000;

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const auto room = transfer.max_answer - transfer.answer.size();
  const auto bytes = size * count;
  transfer.answer.append(data, std::min(bytes, room));
  // Nobody needs the rest of an answer to a notification: what came is judged.
  if (bytes > room) transfer.too_long = true;
  return bytes > room ? 0 : bytes;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) transfer.answer_headers.clear();
  const auto colon = line.find(':');
  if (colon != std::string_view::npos && transfer.answer_headers.size() < 100) {
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    auto value = line.substr(colon + 1);
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.front())) != 0)
      value.remove_prefix(1);
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back())) != 0)
      value.remove_suffix(1);
    transfer.answer_headers.emplace_back(std::move(name), value);
  }
  return size * count;
}

std::size_t give_body(char* into, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const auto bytes = transfer.sent.copy(into, size * count, transfer.read);
  transfer.read += bytes;
  return bytes;
}

void set_common(Transfer& transfer, CURL* handle) {
  set_option(handle, CURLOPT_NOSIGNAL, 1L);
  set_option(handle, CURLOPT_ERRORBUFFER, transfer.error);
  set_option(handle, CURLOPT_WRITEFUNCTION, &take_body);
  set_option(handle, CURLOPT_WRITEDATA, &transfer);
  set_option(handle, CURLOPT_HEADERFUNCTION, &take_header);
  set_option(handle, CURLOPT_HEADERDATA, &transfer);
  set_option(handle, CURLOPT_READFUNCTION, &give_body);
  set_option(handle, CURLOPT_READDATA, &transfer);
  set_option(handle, CURLOPT_FOLLOWLOCATION, 0L);
  set_option(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(transfer.deadline -
                                                                 std::chrono::steady_clock::now());
  const long milliseconds = std::max<long>(left.count(), 1);
  set_option(handle, CURLOPT_TIMEOUT_MS, milliseconds);
  set_option(handle, CURLOPT_CONNECTTIMEOUT_MS, milliseconds);
}

}  // namespace

Transfer::~Transfer() {
  curl().slist_free_all(headers);
  curl().slist_free_all(recipients);
}

struct CurlThread::Call {
  TransferPtr transfer;
  async::OneShot<bool> done;          // the loop only
  std::atomic<bool> dropped = false;  // nobody waits any more
};

CurlThread::CurlThread(Executor executor) : executor_(executor) {
  multi_ = curl().multi_init();
  ETCDMON_ASSERT(multi_ != nullptr);
  // Signals are for the thread that runs the loop.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { serve(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

CurlThread::~CurlThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  curl().multi_wakeup(multi_);
  thread_.join();
  curl().multi_cleanup(multi_);
}

Task<> CurlThread::run(TransferPtr transfer) {
  // Marks the call when this frame goes, whichever way.
  struct Mark {
    Call& call;
    CURLM* multi;
    ~Mark() {
      call.dropped = true;
      curl().multi_wakeup(multi);
    }
  };
  const auto call = std::make_shared<Call>();
  call->transfer = std::move(transfer);
  {
    const std::lock_guard lock(mutex_);
    added_.push_back(call);
  }
  const Mark mark{*call, multi_};
  curl().multi_wakeup(multi_);
  co_await call->done.wait();
}

void CurlThread::take_new() {
  std::vector<CallPtr> added;
  {
    const std::lock_guard lock(mutex_);
    added.swap(added_);
  }
  for (auto& call : added) {
    if (call->dropped) continue;
    CURL* const handle = curl().easy_init();
    ETCDMON_ASSERT(handle != nullptr);
    auto& transfer = *call->transfer;
    set_common(transfer, handle);
    transfer.prepare(transfer, handle);
    running_.emplace(handle, std::move(call));
    curl().multi_add_handle(multi_, handle);
  }
}

void CurlThread::end(CURL* handle, CURLcode code) {
  const auto it = running_.find(handle);
  auto call = std::move(it->second);
  running_.erase(it);
  auto& transfer = *call->transfer;
  transfer.code = code;
  curl().easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &transfer.status);
  curl().easy_getinfo(handle, CURLINFO_OS_ERRNO, &transfer.os_error);
  curl().multi_remove_handle(multi_, handle);
  curl().easy_cleanup(handle);
  asio::post(executor_, [call = std::move(call)] {
    if (!call->dropped) call->done.set(true);
  });
}

void CurlThread::serve() {
  ::pthread_setname_np(::pthread_self(), "outbound");
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    take_new();
    std::vector<CURL*> dropped;
    for (const auto& [handle, call] : running_) {
      if (call->dropped) dropped.push_back(handle);
    }
    for (CURL* const handle : dropped) end(handle, CURLE_ABORTED_BY_CALLBACK);
    int running = 0;
    curl().multi_perform(multi_, &running);
    int left = 0;
    while (CURLMsg* const message = curl().multi_info_read(multi_, &left)) {
      if (message->msg == CURLMSG_DONE) end(message->easy_handle, message->data.result);
    }
    curl().multi_poll(multi_, nullptr, 0, kPollMilliseconds, nullptr);
  }
  for (const auto& [handle, call] : running_) {
    curl().multi_remove_handle(multi_, handle);
    curl().easy_cleanup(handle);
  }
}

Error curl_error(const Transfer& transfer, const std::string& doing) {
  const auto make = [&](ErrorCode code, Cause cause, std::string_view text) {
    return Error{code, fmt::format("{}: {}", doing, text), cause};
  };
  // libcurl's own text may quote what the server said, and that may quote what we sent.
  const std::string_view generic = curl().easy_strerror(transfer.code);
  switch (transfer.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return make(ErrorCode::kUnavailable, Cause::kDns, "its name does not resolve");
    case CURLE_COULDNT_CONNECT:
      if (transfer.os_error == ECONNREFUSED)
        return make(ErrorCode::kUnavailable, Cause::kRefused, "connection refused");
      return make(ErrorCode::kUnavailable, Cause::kUnreachable, "cannot connect");
    case CURLE_OPERATION_TIMEDOUT:
      return make(ErrorCode::kDeadlineExceeded, Cause::kTimeout, "no answer in time");
    case CURLE_PEER_FAILED_VERIFICATION:
      return make(ErrorCode::kUnavailable, Cause::kTls,
                  fmt::format("its certificate is not accepted ({})", transfer.error));
    case CURLE_SSL_CONNECT_ERROR:
      return make(ErrorCode::kUnavailable, Cause::kTls, "TLS handshake failed");
    case CURLE_USE_SSL_FAILED:
      return make(ErrorCode::kUnavailable, Cause::kTls, "the server does not offer STARTTLS");
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return make(ErrorCode::kInvalidArgument, Cause::kLocal, generic);
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
      return make(ErrorCode::kUnavailable, Cause::kReset, "the connection broke off");
    case CURLE_LOGIN_DENIED:
      return make(ErrorCode::kUnauthenticated, Cause::kNone, "login refused");
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return make(ErrorCode::kInvalidArgument, Cause::kLocal, "not a usable URL");
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
      return make(ErrorCode::kUnavailable, Cause::kProtocol, "the answer is no HTTP");
    case CURLE_OUT_OF_MEMORY:
      return make(ErrorCode::kResourceExhausted, Cause::kLocal, generic);
    default:
      return make(ErrorCode::kUnavailable, Cause::kNone, generic);
  }
}

}  // namespace etcdmon::net::detail
