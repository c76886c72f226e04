// api/dead_letters.hpp: notifications that were given up, over HTTP: seen, sent again, dropped.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "api/router.hpp"
#include "async/task.hpp"
#include "base/result.hpp"
#include "store/outbox.hpp"

namespace etcdmon::api {

/// Who keeps them; the app implements it.
///
/// Threads: the loop only.
class DeadLetterDesk {
 public:
  virtual ~DeadLetterDesk() = default;

  /// The newest first.
  virtual Task<Result<std::vector<store::DeadLetter>>> dead_letters(std::size_t limit) = 0;
  /// Puts it back into its queue. Errors: kNotFound.
  virtual Task<Result<void>> retry_dead_letter(std::string id) = 0;
  /// Forgets it. Errors: kNotFound.
  virtual Task<Result<void>> drop_dead_letter(std::string id) = 0;
};

/// GET /api/v1/alerts/dead-letters lists them; POST …/{id}/retry and DELETE …/{id} are
/// answered from loopback only while authentication is off, never to other sites' pages in a
/// browser.
///
/// Lifetime: outlives the router that it was added to; so does `desk`.
class DeadLetters {
 public:
  explicit DeadLetters(DeadLetterDesk& desk) : desk_(desk) {}

  void add_to(Router& router);

 private:
  Task<net::Response> list(const net::Request& request);
  Task<net::Response> retry(const net::Request& request, const Caller& caller, std::string id);
  Task<net::Response> drop(const net::Request& request, const Caller& caller, std::string id);

  DeadLetterDesk& desk_;
};

}  // namespace etcdmon::api
