// collect/scrape/test_pages.hpp: for tests: real /metrics pages, and pages that change as real ones
// do.
#pragma once

#include <cstddef>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

namespace etcdmon::collect::test_pages {

/// "3.4.23", "3.4.23-extensive" (run with --metrics=extensive), "3.5.16", "3.5.30", "3.6.14" or
/// "3.7.1": as that version served it.
inline std::string load(std::string_view version) {
  const std::string file = std::string(ETCDMON_SOURCE_DIR) + "/tests/data/etcd-metrics/" +
                           std::string(version) + ".txt.gz";
  std::FILE* pipe = ::popen(("gzip -dc '" + file + "'").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run gzip");
  std::string page;
  char buffer[8192];
  std::size_t n = 0;
  while ((n = std::fread(buffer, 1, sizeof buffer, pipe)) != 0) page.append(buffer, n);
  if (::pclose(pipe) != 0 || page.empty()) throw std::runtime_error("cannot read " + file);
  return page;
}

/// The page with another value on the line that begins with `head` and a blank.
inline std::string with_value(std::string page, std::string_view head, std::string_view value) {
  const std::string start = "\n" + std::string(head) + " ";
  const auto at = page.find(start);
  if (at == std::string::npos) throw std::runtime_error("no line " + std::string(head));
  const auto first = at + start.size();
  page.replace(first, page.find('\n', first) - first, value);
  return page;
}

/// The page as it would have been when the process had counted nothing yet: every counter and
/// histogram at 0.
inline std::string with_counters_at_zero(const std::string& page) {
  std::string out;
  for (std::size_t at = 0; at < page.size();) {
    const auto stop = page.find('\n', at);
    const std::string_view line(page.data() + at, stop - at);
    const auto name = line.substr(0, line.find_first_of("{ "));
    const bool counts = name.ends_with("_total") || name.ends_with("_bucket") ||
                        name.ends_with("_sum") || name.ends_with("_count");
    const bool gauge = name.starts_with("etcd_debugging_mvcc_") && !name.ends_with("events_total");
    if (counts && !gauge)
      out.append(line.substr(0, line.rfind(' '))).append(" 0\n");
    else
      out.append(line).append("\n");
    at = stop + 1;
  }
  return out;
}

/// The page with `line` (and a newline) in front of the first line that begins with `before`.
inline std::string with_line(std::string page, std::string_view before, std::string_view line) {
  const auto at = page.find("\n" + std::string(before));
  if (at == std::string::npos) throw std::runtime_error("no line " + std::string(before));
  page.insert(at + 1, std::string(line) + "\n");
  return page;
}

}  // namespace etcdmon::collect::test_pages
