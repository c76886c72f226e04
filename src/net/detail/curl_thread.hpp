// net/detail/curl_thread.hpp: libcurl's multi interface on a thread of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "async/one_shot.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/detail/curl.hpp"

namespace etcdmon::net::detail {

/// One transfer: what goes out, and what came back. Its easy handle is made, run and ended on the
/// curl thread; the loop sees it again when it is done.
struct Transfer {
  /// Sets options on a fresh handle; runs on the curl thread, and keeps what it refers to in here.
  std::function<void(Transfer& transfer, CURL* handle)> prepare;
  Deadline deadline;
  std::size_t max_answer = 64 << 10;

  std::string sent;      ///< a body that is read from here
  std::size_t read = 0;  ///< how much of it is gone
  curl_slist* headers = nullptr;
  curl_slist* recipients = nullptr;

  CURLcode code = CURLE_OK;
  long status = 0;  ///< of HTTP, or the last SMTP reply
  long os_error = 0;
  std::string answer;  ///< the body, cut off at max_answer
  std::vector<std::pair<std::string, std::string>> answer_headers;  ///< names in lower case
  char error[CURL_ERROR_SIZE] = {};
  bool too_long = false;

  Transfer() = default;
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
};
using TransferPtr = std::shared_ptr<Transfer>;

class CurlThread {
 public:
  explicit CurlThread(Executor executor);
  ~CurlThread();
  CurlThread(const CurlThread&) = delete;
  CurlThread& operator=(const CurlThread&) = delete;

  /// Runs it to its end; its results stand in the transfer. Cancel: the transfer is dropped at
  /// once.
  Task<> run(TransferPtr transfer);

 private:
  struct Call;
  using CallPtr = std::shared_ptr<Call>;

  void serve();
  void take_new();
  void end(CURL* handle, CURLcode code);

  Executor executor_;
  CURLM* multi_ = nullptr;
  std::unordered_map<CURL*, CallPtr> running_;  // the curl thread only
  std::mutex mutex_;                            // guards what follows
  std::vector<CallPtr> added_;
  bool stopping_ = false;
  std::thread thread_;
};

/// Why it failed, without any secret: `doing` is what was being done, for the message.
Error curl_error(const Transfer& transfer, const std::string& doing);

}  // namespace etcdmon::net::detail
