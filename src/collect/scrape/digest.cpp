#include "collect/scrape/digest.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace etcdmon::collect {

namespace {

using series::SeriesId;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr Duration kKeepAbsent = std::chrono::hours(1);

std::optional<double> known(double value) {
  return std::isnan(value) ? std::nullopt : std::optional(value);
}

std::optional<bool> known_flag(double value) {
  return std::isnan(value) ? std::nullopt : std::optional(value > 0.5);
}

// Sums of seconds come with 17 digits of which the last ones are rounding; to the microsecond they
// take a third of the room.
double to_microseconds(double seconds) {
  constexpr double kMillion = 1e6;
  const double scaled = seconds * kMillion;
  return std::abs(scaled) < 9e15 ? std::nearbyint(scaled) / kMillion : seconds;
}

}  // namespace

void Digest::bind(const PageReader& reader, series::MemberSeries& series, SteadyTime now) {
  std::map<Meaning, SeriesId> known;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    columns_[i].present = false;
    if (columns_[i].meaning.family != Family::kCount) {
      known.emplace(columns_[i].meaning, static_cast<SeriesId>(i));
    }
  }
  slots_.assign(reader.slots(), kNone);
  server_id_ = 0;
  reader.for_each_slot([&](std::size_t slot, const Meaning& meaning) {
    if (meaning.family == Family::kServerId) {
      server_id_ = meaning.peer;
      return;
    }
    auto found = known.find(meaning);
    if (found == known.end()) {
      const auto fresh = series.add_column();
      if (!fresh) return;
      if (*fresh >= columns_.size()) columns_.resize(*fresh + std::size_t{1});
      columns_[*fresh].meaning = meaning;
      found = known.emplace(meaning, *fresh).first;
    }
    columns_[found->second].present = true;
    slots_[slot] = found->second;
  });
  slots_.shrink_to_fit();
  columns_.shrink_to_fit();
  retire(series, now);
  group_columns();
}

void Digest::retire(series::MemberSeries& series, SteadyTime now) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    auto& column = columns_[i];
    if (column.present || column.meaning.family == Family::kCount) {
      column.absent_since = SteadyTime{};
    } else if (column.absent_since == SteadyTime{}) {
      column.absent_since = now;
    } else if (now - column.absent_since > kKeepAbsent) {
      column.meaning = Meaning{};
      series.drop_column(static_cast<SeriesId>(i));
    }
  }
}

void Digest::group_columns() {
  struct Bucket {
    double bound;
    SeriesId series;
  };
  std::map<Meaning, std::pair<HistogramColumns, std::vector<Bucket>>> groups;
  peers_.clear();
  plain_.fill(kNone);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto& [meaning, present, absent] = columns_[i];
    if (!present) continue;
    if (meaning.peer != 0) peers_.push_back(meaning.peer);
    if (meaning.part == Part::kValue) {
      if (meaning.peer == 0 && meaning.group == Group::kAll) {
        plain_[static_cast<std::size_t>(meaning.family)] = static_cast<SeriesId>(i);
      }
      continue;
    }
    auto& [histogram, buckets] =
        groups[{.family = meaning.family, .group = meaning.group, .peer = meaning.peer}];
    histogram.family = meaning.family;
    histogram.group = meaning.group;
    histogram.peer = meaning.peer;
    const auto series = static_cast<SeriesId>(i);
    if (meaning.part == Part::kSum) histogram.sum = series;
    if (meaning.part == Part::kCount) histogram.count = series;
    if (meaning.part == Part::kBucket) buckets.push_back({meaning.bound, series});
  }
  std::ranges::sort(peers_);
  peers_.erase(std::ranges::unique(peers_).begin(), peers_.end());

  histograms_.clear();
  histograms_.reserve(groups.size());
  for (auto& [key, group] : groups) {
    auto& [histogram, buckets] = group;
    std::ranges::sort(buckets, {}, &Bucket::bound);
    histogram.buckets.reserve(buckets.size());
    for (const auto& bucket : buckets) histogram.buckets.push_back(bucket.series);
    histograms_.push_back(std::move(histogram));
  }
}

void Digest::fill(std::span<const double> slots, std::vector<double>& row) const {
  row.assign(columns_.size(), kNaN);
  for (const auto series : slots_) {
    if (series != kNone) row[series] = 0;
  }
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot] != kNone) row[slots_[slot]] += slots[slot];
  }
  for (const auto& histogram : histograms_) {
    for (std::size_t i = histogram.buckets.size(); i-- > 1;) {
      row[histogram.buckets[i]] -= row[histogram.buckets[i - 1]];
    }
    if (histogram.sum) row[*histogram.sum] = to_microseconds(row[*histogram.sum]);
  }
}

std::optional<SeriesId> Digest::column(Family family, Group group, std::uint64_t peer) const {
  if (group == Group::kAll && peer == 0) {
    if (columns_.empty()) return std::nullopt;
    const auto series = plain_[static_cast<std::size_t>(family)];
    return series == kNone ? std::nullopt : std::optional(series);
  }
  const Meaning wanted{.family = family, .group = group, .peer = peer};
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].present && columns_[i].meaning == wanted) return static_cast<SeriesId>(i);
  }
  return std::nullopt;
}

model::MetricsFacts Digest::facts(SteadyTime at, std::span<const double> row) const {
  const auto value = [&](Family family, std::uint64_t peer = 0) {
    const auto series = column(family, Group::kAll, peer);
    return series ? row[*series] : kNaN;
  };
  model::MetricsFacts facts;
  facts.at = at;
  facts.process_start_time = known(value(Family::kStartTime));
  facts.has_leader = known_flag(value(Family::kHasLeader));
  facts.is_leader = known_flag(value(Family::kIsLeader));
  facts.is_learner = known_flag(value(Family::kIsLearner));
  facts.defrag_inflight = known_flag(value(Family::kDefragInflight));
  facts.snapshot_apply_inflight = known_flag(value(Family::kSnapshotApplyInflight));
  facts.leader_changes_seen = known(value(Family::kLeaderChanges));
  if (server_id_ != 0) facts.server_id = MemberId{server_id_};
  const double quota = value(Family::kQuota);
  if (quota >= 0 && quota < 1.8e19) facts.quota = static_cast<std::uint64_t>(quota);
  facts.compact_revision = known(value(Family::kCompactRevision));
  facts.auth_revision = known(value(Family::kAuthRevision));
  facts.link_beat_bytes = known(value(Family::kPeerReceived));

  facts.peers.reserve(peers_.size());
  for (const auto id : peers_) {
    model::MetricsFacts::Peer peer;
    peer.id = MemberId{id};
    peer.active = known(value(Family::kPeerActive, id));
    peer.known = known(value(Family::kPeerKnown, id));
    peer.disconnected_total = known(value(Family::kPeerDisconnected, id)).value_or(0);
    peer.sent_failures_total = known(value(Family::kPeerSentFailures, id)).value_or(0);
    peer.received_failures_total = known(value(Family::kPeerReceivedFailures, id)).value_or(0);
    peer.received_bytes_total = known(value(Family::kPeerReceived, id)).value_or(0);
    for (const auto& histogram : histograms_) {
      if (histogram.family != Family::kPeerRtt || histogram.peer != id) continue;
      if (histogram.count) peer.rtt_count = known(row[*histogram.count]);
      if (histogram.sum) peer.rtt_sum_seconds = known(row[*histogram.sum]);
    }
    facts.peers.push_back(peer);
  }
  return facts;
}

std::size_t Digest::memory_bytes() const {
  std::size_t bytes = sizeof(Digest) + columns_.capacity() * sizeof(Column) +
                      slots_.capacity() * sizeof(SeriesId) +
                      histograms_.capacity() * sizeof(HistogramColumns);
  for (const auto& histogram : histograms_) {
    bytes += histogram.buckets.capacity() * sizeof(SeriesId);
  }
  return bytes;
}

}  // namespace etcdmon::collect
