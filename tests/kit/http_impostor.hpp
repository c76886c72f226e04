// kit/http_impostor.hpp: an HTTP/1.1 server that says what a test tells it to say, well or badly.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace etcdmon::kit {

/// Listens on a port of 127.0.0.1, in plain text. Unless told otherwise it answers 404.
///
/// Threads: any; the server runs on a thread of its own, and handlers are called there.
class HttpImpostor {
 public:
  struct Request {
    std::string method{};
    std::string target{};  ///< with the query
    std::vector<std::pair<std::string, std::string>> headers{};
    std::string body{};
    int connection = 0;  ///< the how-manieth, from 1
    std::chrono::steady_clock::time_point arrived{};

    /// The value of a header, without regard to case; empty: not there.
    std::string header(const std::string& name) const;
  };

  enum class Framing { kLength, kChunked, kToEnd };
  /// What happens to the connection after the answer.
  enum class After { kKeep, kClose, kReset, kHang };

  struct Reply {
    int status = 200;
    std::string body{};
    std::vector<std::pair<std::string, std::string>> headers{};
    Framing framing = Framing::kLength;
    After after = After::kKeep;
    /// The body is sent so many times over: 64 MB without holding them.
    std::uint64_t repeat = 1;
    std::chrono::nanoseconds delay{0};  ///< before the first byte
    std::size_t piece = 0;              ///< bytes of body in one send (and chunk); 0: all
    std::chrono::nanoseconds pause{0};  ///< between two pieces: a drip
    /// Ends the answer after so many bytes of body, whatever its head promised.
    std::optional<std::uint64_t> cut_after{};
    /// Sent as it is instead of all that: garbage, another protocol.
    std::optional<std::string> raw{};
  };

  using Handler = std::function<Reply(const Request&)>;

  HttpImpostor();
  ~HttpImpostor();

  std::uint16_t port() const;
  std::string url() const;  ///< "http://127.0.0.1:PORT"

  /// For requests with this path, whatever their query. Of several replies each is given once,
  /// the last one from then on.
  void when(const std::string& path, std::vector<Reply> replies);
  void when(const std::string& path, Reply reply);
  void when(const std::string& path, Handler handler);
  void otherwise(Reply reply);

  std::vector<Request> requests() const;
  /// Those with this path.
  std::vector<Request> requests(const std::string& path) const;
  /// Whether that many have come, at the latest in `limit`.
  bool await_requests(std::size_t count,
                      std::chrono::nanoseconds limit = std::chrono::seconds(10)) const;
  int connections() const;  ///< so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace etcdmon::kit
