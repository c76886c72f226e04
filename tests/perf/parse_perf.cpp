// parse_perf: what reading a /metrics page costs, hot: the remembered layout against the full
// parse.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "collect/scrape/page_reader.hpp"
#include "collect/scrape/test_pages.hpp"

namespace {

using namespace etcdmon::collect;

// Values change from page to page; lines do not.
std::vector<std::string> pages_under_load(std::string page) {
  std::vector<std::string> pages;
  for (int round = 0; round < 4; ++round) {
    std::string out;
    unsigned line = 0;
    for (std::size_t at = 0; at < page.size(); ++line) {
      const auto stop = page.find('\n', at);
      const std::string_view text(page.data() + at, stop - at);
      const auto blank = text.rfind(' ');
      out += text.substr(0, blank + 1);
      const bool counter = text[0] != '#' && text.find("bucket") == std::string_view::npos;
      if (counter && line % 3 == 0)
        out += std::to_string(1'000'000 + 7919 * line * static_cast<unsigned>(round + 1));
      else if (counter && line % 97 == 0)
        out += "1.23456789e+0" + std::to_string(6 + round);
      else
        out += text.substr(blank + 1);
      out += '\n';
      at = stop + 1;
    }
    pages.push_back(out);
  }
  return pages;
}

double best_of(int rounds, int pages, const auto& one) {
  double best = 1e9;
  for (int round = 0; round < rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < pages; ++i) one(i);
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count() / pages);
  }
  return best;
}

void measure(const char* version, Dictionary::Scope scope) {
  const auto pages = pages_under_load(test_pages::load(version));
  PageReader reader(std::make_shared<LinePool>(Dictionary(scope)));
  reader.read(pages[0]);
  const std::size_t series = reader.slots();
  unsigned relearned = 0;
  const double hot = best_of(20, 512, [&](int i) {
    relearned += reader.read(pages[static_cast<std::size_t>(i) % pages.size()]).relearned ? 1 : 0;
  });
  const double full = best_of(5, 64, [&](int i) {
    PageReader fresh(std::make_shared<LinePool>(Dictionary(scope)));
    fresh.read(pages[static_cast<std::size_t>(i) % pages.size()]);
  });
  std::printf("%-8s %7zu %7zu %9.1f %9.1f %9.1f%%\n", version, pages[0].size(), series, hot, full,
              100.0 * relearned / (20 * 512));
}

}  // namespace

int main() {
  std::printf("%-8s %7s %7s %9s %9s %10s\n", "etcd", "bytes", "series", "hot us", "first us",
              "relearned");
  for (const auto scope : {Dictionary::Scope::kCore, Dictionary::Scope::kFull}) {
    for (const char* version : {"3.4.23", "3.5.16", "3.5.30", "3.6.14", "3.7.1"})
      measure(version, scope);
  }
}
