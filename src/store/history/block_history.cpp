#include "store/history/block_history.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <utility>

#include "series/chunk.hpp"
#include "store/detail/history_blocks.hpp"
#include "store/detail/history_tables.hpp"
#include "store/history/buckets.hpp"

namespace etcdmon::store {

namespace {

using detail::BlockPlace;
using detail::HistoryBlocks;
using detail::MetricKey;
using detail::MetricPoints;
using detail::OpenRow;
using detail::RawBlock;
using detail::SourceKey;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// The body of an open row: for each value its metric's key (two bytes) and the value (eight),
// lowest byte first.
constexpr std::size_t kValueBytes = 10;
static_assert(std::endian::native == std::endian::little);

void append_value(std::vector<std::uint8_t>& body, MetricKey metric, double value) {
  std::array<std::uint8_t, kValueBytes> bytes{};
  const auto key = static_cast<std::uint16_t>(metric);
  std::memcpy(bytes.data(), &key, sizeof key);
  std::memcpy(bytes.data() + sizeof key, &value, sizeof value);
  body.insert(body.end(), bytes.begin(), bytes.end());
}

template <class F>
void for_each_value(std::span<const std::uint8_t> body, const F& f) {
  for (; body.size() >= kValueBytes; body = body.subspan(kValueBytes)) {
    std::uint16_t key = 0;
    double value = 0;
    std::memcpy(&key, body.data(), sizeof key);
    std::memcpy(&value, body.data() + sizeof key, sizeof value);
    f(MetricKey{key}, value);
  }
}

struct Source {
  SourceKey key = 0;
  std::string name;
};

// How long maintain() goes on: a question waits no longer.
constexpr std::chrono::milliseconds kSlice{200};

}  // namespace

struct BlockHistory::Core {
  explicit Core(std::unique_ptr<detail::HistoryTables> given)
      : tables(std::move(given)), blocks(*tables) {}

  Result<void> ready();
  Result<void> load();
  Result<SourceKey> source_of(const HistoryRow& row);
  Result<OpenRow> coded(const HistoryRow& row);
  Result<void> seal(SourceKey source, HistoryMs hour);
  Result<RawBlock> open_block(SourceKey source, HistoryMs hour);
  Result<void> roll_up(const BlockPlace& place);
  Result<void> read_open(SourceKey source, MetricKey metric, HistoryMs from, HistoryMs to,
                         Buckets& out);
  struct Asked {
    SourceKey source = 0;
    const HistoryBlocks::Coverage* covered = nullptr;
    MetricKey metric = 0;
    HistoryMs from = 0;
    HistoryMs to = 0;
    HistoryLevel level = HistoryLevel::kRaw;
  };
  Result<void> fill(const Asked& asked, HistoryAnswer& answer, Buckets& out);
  Result<void> fill_finer(const Asked& asked, HistoryMs from, HistoryAnswer& answer, Buckets& out);

  std::unique_ptr<detail::HistoryTables> tables;
  HistoryBlocks blocks;
  std::map<std::pair<std::string, MemberId>, Source> sources;
  std::array<MetricKey, model::kMetricCount> keys{};
  bool loaded = false;
};

BlockHistory::BlockHistory(std::unique_ptr<detail::HistoryTables> tables)
    : core_(std::make_unique<Core>(std::move(tables))) {}
BlockHistory::~BlockHistory() = default;

Result<void> BlockHistory::load() {
  return core_->ready();
}

HistoryStatus BlockHistory::status() const {
  return {.form = core_->tables->form()};
}

Result<void> BlockHistory::Core::ready() {
  ETCDMON_TRY(const bool fresh, tables->ready());
  if (fresh) loaded = false;
  if (loaded) return {};
  auto done = load();
  loaded = done.has_value();
  return done;
}

Result<void> BlockHistory::Core::load() {
  std::vector<std::string_view> names;
  for (const auto& doc : model::metric_docs()) names.push_back(doc.name);
  ETCDMON_TRY(const auto known, tables->metrics(names));
  for (const auto& [name, key] : known) {
    if (const auto metric = model::parse_metric(name))
      keys[static_cast<std::size_t>(*metric)] = key;
  }
  ETCDMON_TRY(auto stored, tables->sources());
  sources.clear();
  for (auto& source : stored) {
    sources[{std::move(source.cluster), source.member}] = {source.key, std::move(source.name)};
  }
  return {};
}

Result<SourceKey> BlockHistory::Core::source_of(const HistoryRow& row) {
  auto& source = sources[{row.cluster, row.member}];
  if (source.key != 0 && source.name == row.member_name) return source.key;
  ETCDMON_TRY(source.key, tables->put_source({0, row.cluster, row.member, row.member_name}));
  source.name = row.member_name;
  return source.key;
}

Result<OpenRow> BlockHistory::Core::coded(const HistoryRow& row) {
  OpenRow coded{.at = to_ms(row.at)};
  ETCDMON_TRY(coded.source, source_of(row));
  coded.body.reserve(model::kMetricCount * kValueBytes);
  for (std::size_t i = 0; i < model::kMetricCount; ++i) {
    if (const auto value = row.values.get(static_cast<model::Metric>(i)))
      append_value(coded.body, keys[i], *value);
  }
  return coded;
}

Result<void> BlockHistory::write(std::span<const HistoryRow> rows) {
  if (auto ready = core_->ready(); !ready) return ready;
  auto written = core_->tables->write_together([&]() -> Result<void> {
    // Of two rows at the same time, the later one is kept.
    std::map<std::pair<SourceKey, HistoryMs>, std::size_t> places;
    std::vector<OpenRow> coded;
    coded.reserve(rows.size());
    for (const auto& row : rows) {
      ETCDMON_TRY(auto next, core_->coded(row));
      const auto [place, added] = places.try_emplace({next.source, next.at}, coded.size());
      if (added) {
        coded.push_back(std::move(next));
      } else {
        coded[place->second] = std::move(next);
      }
    }
    return core_->tables->put_open(coded);
  });
  // What was rolled back must not be remembered as being there.
  if (!written) core_->loaded = false;
  return written;
}

Result<RawBlock> BlockHistory::Core::open_block(SourceKey source, HistoryMs hour) {
  RawBlock block;
  const auto add = [&](HistoryMs at, std::span<const std::uint8_t> body) {
    block.times.push_back(at);
    for_each_value(body, [&](MetricKey metric, double value) {
      auto& column = block.values[metric];
      column.resize(block.times.size() - 1, kMissing);
      column.push_back(value);
    });
  };
  const HistoryMs end = hour + detail::span_of(HistoryLevel::kRaw);
  if (auto done = tables->open_rows(source, hour, end, add); !done) return std::move(done).error();
  for (auto& [metric, column] : block.values) column.resize(block.times.size(), kMissing);
  return block;
}

Result<void> BlockHistory::Core::seal(SourceKey source, HistoryMs hour) {
  return tables->change_blocks([&]() -> Result<void> {
    ETCDMON_TRY(const auto added, open_block(source, hour));
    if (added.times.empty()) return {};  // another monitor was quicker
    ETCDMON_TRY(auto block, blocks.raw(source, hour));
    block.merge(added);
    if (block.times.size() > series::kMaxChunkRows)
      return Error{ErrorCode::kResourceExhausted, "an hour of history has too many rows"};
    if (auto put = blocks.put_raw(source, hour, block); !put) return put;
    const HistoryMs end = hour + detail::span_of(HistoryLevel::kRaw);
    if (auto gone = tables->remove_open(source, hour, end); !gone) return gone;

    MetricPoints minutes;
    for (const auto& [metric, column] : block.values) {
      Buckets buckets(hour, end, detail::width_of(HistoryLevel::kMinute));
      for (std::size_t i = 0; i < column.size(); ++i) buckets.add(block.times[i], column[i]);
      minutes[metric] = buckets.take();
    }
    if (auto put = blocks.put_points(source, HistoryLevel::kMinute, hour, end, minutes); !put)
      return put;
    return tables->mark_rolled({source, HistoryLevel::kRaw, hour});
  });
}

// The minutes of a day become hours.
Result<void> BlockHistory::Core::roll_up(const BlockPlace& place) {
  const auto above = static_cast<HistoryLevel>(static_cast<std::uint8_t>(place.level) + 1);
  const HistoryMs end = place.first + detail::span_of(place.level);
  return tables->change_blocks([&]() -> Result<void> {
    ETCDMON_TRY(const auto fine, blocks.points(place));
    MetricPoints coarse;
    for (const auto& [metric, column] : fine) {
      Buckets buckets(place.first, end, detail::width_of(above));
      for (const auto& point : column) buckets.add(point);
      coarse[metric] = buckets.take();
    }
    if (auto put = blocks.put_points(place.source, above, place.first, end, coarse); !put)
      return put;
    return tables->mark_rolled(place);
  });
}

Result<bool> BlockHistory::maintain(WallTime now, const HistoryRetention& retention) {
  if (auto ready = core_->ready(); !ready) return std::move(ready).error();
  const auto until = std::chrono::steady_clock::now() + kSlice;
  const auto used_up = [&] { return std::chrono::steady_clock::now() >= until; };
  const HistoryMs at = to_ms(now);
  auto& tables = *core_->tables;
  const auto hour_begin = floor_to(at, detail::span_of(HistoryLevel::kRaw));
  ETCDMON_TRY(const auto hours, tables.open_hours(hour_begin));
  for (const auto& [source, hour] : hours) {
    if (used_up()) return true;
    if (auto sealed = core_->seal(source, hour); !sealed) return std::move(sealed).error();
  }
  const auto last_day = at - detail::span_of(HistoryLevel::kMinute);
  ETCDMON_TRY(const auto days, tables.to_roll(HistoryLevel::kMinute, last_day));
  for (const auto& day : days) {
    if (used_up()) return true;
    if (auto rolled = core_->roll_up(day); !rolled) return std::move(rolled).error();
  }
  const std::array<std::pair<HistoryLevel, std::chrono::hours>, kHistoryLevels> kept = {
      {{HistoryLevel::kRaw, retention.raw},
       {HistoryLevel::kMinute, retention.minutes},
       {HistoryLevel::kHour, retention.hours}}};
  for (const auto& [level, span] : kept) {
    const HistoryMs before = at - std::chrono::milliseconds(span).count();
    const auto of = level;
    auto done =
        tables.change_blocks([&] { return tables.forget(of, before - detail::span_of(of)); });
    if (!done) return std::move(done).error();
  }
  return false;
}

Result<void> BlockHistory::Core::read_open(SourceKey source, MetricKey metric, HistoryMs from,
                                           HistoryMs to, Buckets& out) {
  return tables->open_rows(source, from, to, [&](HistoryMs at, std::span<const std::uint8_t> body) {
    for_each_value(body, [&](MetricKey key, double value) {
      if (key == metric) out.add(at, value);
    });
  });
}

// [from, to) from this level, and what it does not have yet from the finer ones.
Result<void> BlockHistory::Core::fill_finer(const Asked& asked, HistoryMs from,
                                            HistoryAnswer& answer, Buckets& out) {
  for (auto at = static_cast<int>(asked.level); at >= 0 && from < asked.to; --at) {
    const auto now = static_cast<HistoryLevel>(at);
    const auto& covered = (*asked.covered)[static_cast<std::size_t>(at)];
    answer.finest = std::min(answer.finest, now);
    if (!covered || covered->to <= from) continue;
    auto done = blocks.read(asked.source, now, asked.metric, from, asked.to, out);
    if (!done) return done;
    from = covered->to;
  }
  if (from >= asked.to) return {};
  return read_open(asked.source, asked.metric, from, asked.to, out);
}

Result<void> BlockHistory::Core::fill(const Asked& asked, HistoryAnswer& answer, Buckets& out) {
  const auto& covered = *asked.covered;
  // What is older than this level keeps stands in coarser ones.
  for (auto above = static_cast<std::uint8_t>(HistoryLevel::kHour);
       above > static_cast<std::uint8_t>(asked.level); --above) {
    const auto& finer = covered[above - 1U];
    const auto& coarse = covered[above];
    if (!coarse || coarse->from >= asked.to || coarse->to <= asked.from) continue;
    const HistoryMs end = finer ? std::min(finer->from, asked.to) : asked.to;
    const HistoryMs begin = std::max(asked.from, coarse->from);
    if (begin >= end) continue;
    const auto level = static_cast<HistoryLevel>(above);
    answer.coarsest = std::max(answer.coarsest, level);
    auto done = blocks.read(asked.source, level, asked.metric, begin, end, out);
    if (!done) return done;
  }
  const auto& own = covered[static_cast<std::size_t>(asked.level)];
  return fill_finer(asked, own ? std::max(asked.from, own->from) : asked.from, answer, out);
}

Result<HistoryAnswer> BlockHistory::query(const HistoryRange& range) {
  if (auto ready = core_->ready(); !ready) return std::move(ready).error();
  HistoryAnswer answer;
  const HistoryMs from = to_ms(range.from);
  const HistoryMs to = to_ms(range.to);
  const HistoryMs step = fitting_step(from, to, std::max<HistoryMs>(range.step.count(), 1));
  answer.step = std::chrono::milliseconds(step);
  auto level = HistoryLevel::kRaw;
  for (const auto coarser : {HistoryLevel::kMinute, HistoryLevel::kHour}) {
    if (step % detail::width_of(coarser) == 0) level = coarser;
  }
  answer.finest = answer.coarsest = level;
  std::vector<SourceKey> asked;
  const auto wanted = [&](const auto& id, const Source& source) {
    return id.first == range.cluster && source.key != 0 &&
           (!range.member || id.second == *range.member);
  };
  for (const auto& [id, source] : core_->sources) {
    if (wanted(id, source)) asked.push_back(source.key);
  }
  ETCDMON_TRY(auto coverage, core_->blocks.coverage(asked));
  for (const auto& [id, source] : core_->sources) {
    if (!wanted(id, source)) continue;
    Buckets buckets(from, to, step);
    const Core::Asked one{.source = source.key,
                          .covered = &coverage[source.key],
                          .metric = core_->keys[static_cast<std::size_t>(range.metric)],
                          .from = from,
                          .to = to,
                          .level = level};
    if (auto done = core_->fill(one, answer, buckets); !done) return std::move(done).error();
    answer.series.push_back({id.second, source.name, buckets.take()});
  }
  return answer;
}

}  // namespace etcdmon::store
