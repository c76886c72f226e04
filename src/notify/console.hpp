// notify/console.hpp: the console channel: a readable line on stdout and a structured one in the
// log.
#pragma once

#include <cstdio>
#include <string>

#include "base/log.hpp"
#include "model/alert.hpp"
#include "model/event.hpp"

namespace etcdmon::notify {

/// "15:04:05 CRITICAL prod-a  FIRING QuorumLost: 1 of 3 voters … (runbook:
/// docs/runbooks/QuorumLost.md)"
std::string readable(const model::AlertEvent& event);
/// "15:04:05 warning  prod-a  member infra1 is unreachable (refused)"
std::string readable(const model::Event& event);

/// Tells what happened to whoever looks at the terminal, and to the log for machines. Delivery
/// cannot fail in a way that somebody could repair, so nothing is queued.
///
/// Threads: the loop only.
class Console {
 public:
  struct Options {
    std::FILE* out = stdout;
    bool colours = false;     ///< only on a terminal
    bool structured = false;  ///< each line goes to the log as well, with its values named
  };
  Console(Options options, Logger logger);

  void tell(const model::AlertEvent& event);
  void tell(const model::Event& event);

 private:
  void line(const std::string& text, model::Severity severity, bool good_news);

  Options options_;
  Logger logger_;
};

}  // namespace etcdmon::notify
