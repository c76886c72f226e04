// Pages come from whatever listens at a member's address: no bytes may hurt, and the quick way
// (lines remembered from the page before) must read what the full parse reads.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/assert.hpp"
#include "collect/scrape/exposition.hpp"
#include "collect/scrape/member_metrics.hpp"
#include "collect/scrape/page_reader.hpp"

namespace {

using namespace etcdmon;
using namespace etcdmon::collect;

using Totals = std::multimap<Meaning, std::uint64_t>;

Totals totals_of(const PageReader& reader, std::span<const double> values) {
  Totals totals;
  reader.for_each_slot([&](std::size_t slot, const Meaning& meaning) {
    const double value = values[slot];
    totals.emplace(meaning, std::isnan(value) ? 0 : std::bit_cast<std::uint64_t>(value));
  });
  return totals;
}

void check_samples(std::string_view page) {
  const auto within = [&](std::string_view part) {
    ETCDMON_ASSERT(part.data() >= page.data() &&
                   part.data() + part.size() <= page.data() + page.size());
  };
  parse_exposition(page, [&](const Sample& sample) {
    within(sample.name);
    within(sample.head);
    ETCDMON_ASSERT(!sample.name.empty() && sample.head.starts_with(sample.name));
    sample.labels.for_each([&](std::string_view name, std::string_view value) {
      within(name);
      ETCDMON_ASSERT(!name.empty() && unescape(value).size() <= value.size());
      ETCDMON_ASSERT(sample.labels.find(name).has_value());
    });
  });
}

// The same page with other values: what the member's next page looks like.
std::string with_other_values(std::string_view page, std::uint8_t seed) {
  std::string out;
  std::size_t copied = 0;
  parse_exposition(page, [&](const Sample& sample) {
    const auto value =
        static_cast<std::size_t>(sample.head.data() + sample.head.size() - page.data());
    const auto stop = page.find_first_of(" \t\r\n", value);
    out += page.substr(copied, value - copied);
    out += std::to_string(seed * 7919U % (value + 1));
    copied = std::min(stop, page.size());
  });
  return out += page.substr(copied);
}

void check_reads(PageReader& kept, std::string_view page, bool same_lines) {
  const auto quick = kept.read(page);
  PageReader fresh(std::make_shared<LinePool>());
  const auto full = fresh.read(page);
  if (!same_lines) return;
  ETCDMON_ASSERT(quick.malformed == full.malformed);
  ETCDMON_ASSERT(totals_of(kept, quick.values) == totals_of(fresh, full.values));
}

}  // namespace

// The first byte says where the input is cut into two pages of one member.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view first = text.substr(0, text.size() * data[0] / 255);
  const std::string_view second = text.substr(first.size());
  check_samples(first);
  check_samples(second);

  PageReader kept(std::make_shared<LinePool>());
  check_reads(kept, first, true);
  check_reads(kept, first, true);
  check_reads(kept, with_other_values(first, data[0]), true);
  check_reads(kept, second, false);
  kept.forget();
  check_reads(kept, second, true);

  MemberMetrics metrics;
  SteadyTime now{std::chrono::hours(1)};
  for (const auto page : {first, second, first, second}) {
    now += std::chrono::seconds(10);
    metrics.on_page(page, now, WallTime{}, std::chrono::milliseconds(1));
    metrics.on_node_page(page, now);
    metrics.view({now, WallTime{}}, std::nullopt);
  }
  return 0;
}
