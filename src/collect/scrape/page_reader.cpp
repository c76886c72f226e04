#include "collect/scrape/page_reader.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>

#include "collect/scrape/number.hpp"

namespace etcdmon::collect {

namespace {

std::size_t count_lines(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

// Behind the `lines`-th newline from `at`; nullptr if there are not so many.
const char* skip_lines(const char* at, const char* end, std::size_t lines) {
  for (; lines != 0; --lines) {
    if (at == end) return nullptr;
    const auto* newline =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    if (newline == nullptr) return nullptr;
    at = newline + 1;
  }
  return at;
}

bool starts_with(const char* at, const char* end, const char* head, std::size_t length) {
  return static_cast<std::size_t>(end - at) >= length && std::memcmp(at, head, length) == 0;
}

// Reads the lines of a block; returns what follows them, nullptr if they are not there.
const char* read_block(const LineBlock& block, const char* at, const char* end, double* values) {
  const char* head = block.heads.data();
  for (const std::size_t length : block.head_lengths) {
    if (!starts_with(at, end, head, length)) return nullptr;
    head += length;
    at = parse_number_fast(at + length, end, *values++);
    if (at == nullptr) return nullptr;
    if (at == end) continue;
    if (*at == '\r' && at + 1 != end) ++at;
    if (*at != '\n') return nullptr;
    ++at;
  }
  return at;
}

std::size_t line_length(std::string_view page, const char* start) {
  const auto rest = page.substr(static_cast<std::size_t>(start - page.data()));
  const auto newline = rest.find('\n');
  return newline == std::string_view::npos ? rest.size() : newline + 1;
}

}  // namespace

std::shared_ptr<const LineBlock> LinePool::intern(LineBlock block) {
  const std::size_t hash = std::hash<std::string_view>{}(block.heads);
  const auto [first, last] = blocks_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    if (auto known = it->second.lock();
        known && known->heads == block.heads && known->head_lengths == block.head_lengths) {
      return known;
    }
  }
  block.heads.shrink_to_fit();
  block.head_lengths.shrink_to_fit();
  block.meanings.shrink_to_fit();
  auto fresh = std::make_shared<const LineBlock>(std::move(block));
  if (blocks_.size() >= purge_at_) purge();
  blocks_.emplace(hash, fresh);
  return fresh;
}

void LinePool::purge() {
  std::erase_if(blocks_, [](const auto& entry) { return entry.second.expired(); });
  purge_at_ = std::max<std::size_t>(256, 2 * blocks_.size());
}

PageReader::Outcome PageReader::read(std::string_view page) {
  Outcome out;
  auto& values = pool_->values();
  if (remembered_ && since_learned_ < kRelearnEvery) {
    values.resize(slots_);
    ++since_learned_;
    if (read_known(page)) {
      out.values = values;
      return out;
    }
  }
  out.relearned = true;
  out.malformed = learn(page);
  out.values = values;
  return out;
}

bool PageReader::read_known(std::string_view page) {
  const char* at = page.data();
  const char* const end = at + page.size();
  double* values = pool_->values().data();
  for (auto& run : runs_) {
    const auto& block = *run.block;
    const char* start = nullptr;
    // Where the block began last time it most often begins again: then the lines before need no
    // look.
    if (static_cast<std::size_t>(end - at) > run.gap_bytes) {
      const char* guess = at + run.gap_bytes;
      const bool line_start = run.gap_bytes == 0 || guess[-1] == '\n';
      if (line_start && starts_with(guess, end, block.heads.data(), block.head_lengths[0])) {
        start = guess;
      }
    }
    if (start == nullptr) {
      start = skip_lines(at, end, run.gap_lines);
      if (start == nullptr) return false;
      run.gap_bytes = static_cast<std::uint32_t>(start - at);
    }
    at = read_block(block, start, end, values);
    if (at == nullptr) return false;
    values += block.meanings.size();
  }
  const auto rest = static_cast<std::size_t>(end - at);
  if (rest == last_gap_bytes_) return true;
  last_gap_bytes_ = rest;
  return count_lines({at, rest}) == last_gap_lines_;
}

void PageReader::add_run(LineBlock& block, std::string_view gap) {
  if (block.meanings.empty()) return;
  runs_.push_back({pool_->intern(std::move(block)), static_cast<std::uint32_t>(gap.size()),
                   static_cast<std::uint32_t>(count_lines(gap))});
  block = LineBlock();
}

std::uint64_t PageReader::learn(std::string_view page) {
  auto& values = pool_->values();
  values.clear();
  runs_.clear();
  since_learned_ = 0;
  remembered_ = page.size() < std::numeric_limits<std::uint32_t>::max();

  LineBlock block;
  std::string_view gap;
  const char* next = page.data();  // behind the last kept line
  ExpositionReader reader(page);
  Sample sample;
  while (reader.next(sample)) {
    const auto meaning = pool_->dictionary().meaning_of(sample);
    if (!meaning || values.size() == kMaxLines) continue;
    const char* const start = sample.head.data();
    // The fast way takes lines that begin with the name and end with the value.
    const bool plain = (start == page.data() || start[-1] == '\n') && !sample.timestamp &&
                       sample.head.size() <= std::numeric_limits<std::uint16_t>::max();
    remembered_ = remembered_ && plain;
    if (start != next || (!block.meanings.empty() && block.meanings[0].family != meaning->family)) {
      add_run(block, gap);
    }
    if (block.meanings.empty()) gap = {next, static_cast<std::size_t>(start - next)};
    block.heads += sample.head;
    block.head_lengths.push_back(static_cast<std::uint16_t>(sample.head.size()));
    block.meanings.push_back(*meaning);
    values.push_back(sample.value);
    next = start + line_length(page, start);
  }
  add_run(block, gap);
  runs_.shrink_to_fit();
  slots_ = values.size();
  last_gap_bytes_ = static_cast<std::size_t>(page.data() + page.size() - next);
  last_gap_lines_ = count_lines({next, last_gap_bytes_});
  remembered_ = remembered_ && reader.malformed() == 0;
  return reader.malformed();
}

}  // namespace etcdmon::collect
