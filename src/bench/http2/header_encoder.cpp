#include "bench/http2/header_encoder.hpp"

#include <algorithm>
#include <array>

namespace etcdmon::bench {

namespace {

constexpr std::size_t kEntryOverhead = 32;
constexpr std::size_t kStaticEntries = 61;
constexpr std::uint32_t kDefaultTable = 4'096;

// A number with a prefix of `bits` bits; `first` holds the bits before it.
void put_number(std::string& out, unsigned first, unsigned bits, std::size_t number) {
  const std::size_t most = (std::size_t{1} << bits) - 1;
  if (number < most) {
    out.push_back(static_cast<char>(first | number));
    return;
  }
  out.push_back(static_cast<char>(first | most));
  number -= most;
  for (; number >= 0x80; number >>= 7U) out.push_back(static_cast<char>(0x80U | (number & 0x7fU)));
  out.push_back(static_cast<char>(number));
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, 0, 7, text.size());
  out.append(text);
}

// Where the static table has the name, so that it need not be spelled.
std::size_t static_name(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::size_t>, 4> kNames{
      {{":authority", 1}, {":path", 4}, {"content-type", 31}, {"user-agent", 58}}};
  const auto* found =
      std::ranges::find(kNames, name, &std::pair<std::string_view, std::size_t>::first);
  return found == kNames.end() ? 0 : found->second;
}

}  // namespace

HeaderEncoder::HeaderEncoder(const TransportOptions& options)
    : first_(options.tls ? "\x83\x87" : "\x83\x86"),  // :method POST, :scheme
      fields_{{":authority", options.authority},
              {"te", "trailers"},
              {"content-type", "application/grpc"},
              {"user-agent", options.user_agent}} {
  if (!options.token.empty()) fields_.push_back({"token", options.token});
}

void HeaderEncoder::limit_table(std::uint32_t size) {
  const auto limit = std::min(size, kDefaultTable);
  if (limit == limit_) return;
  // Smaller than what is in it: the peer evicts, so begin anew and spell everything out.
  if (limit < table_size_) {
    table_.clear();
    table_size_ = 0;
    limit_ = 0;
  } else {
    limit_ = limit;
  }
  announce_limit_ = true;
  known_.clear();
}

std::string_view HeaderEncoder::block(std::string_view path) {
  auto known =
      std::ranges::find_if(known_, [path](const Known& k) { return k.path.data() == path.data(); });
  if (known == known_.end()) {
    known_.push_back(Known{.path = path, .block = {}, .entries = 0});
    known = std::prev(known_.end());
  }
  // References count from the newest entry, so a block holds until the table grows.
  if (!known->block.empty() && known->entries == table_.size()) return known->block;
  once_ = encode(path);
  // Encoded again, now that all is in the table.
  known->block = encode(path);
  known->entries = table_.size();
  return once_;
}

std::string HeaderEncoder::encode(std::string_view path) {
  std::string block;
  if (std::exchange(announce_limit_, false)) put_number(block, 0x20, 5, limit_);
  block += first_;
  put(block, ":path", path);
  for (const auto& field : fields_) put(block, field.name, field.value);
  return block;
}

void HeaderEncoder::put(std::string& block, std::string_view name, std::string_view value) {
  const auto found = std::ranges::find_if(
      table_, [&](const Field& field) { return field.name == name && field.value == value; });
  if (found != table_.end()) {
    const auto age = static_cast<std::size_t>(table_.end() - found);
    put_number(block, 0x80, 7, kStaticEntries + age);
    return;
  }
  const auto size = name.size() + value.size() + kEntryOverhead;
  const bool fits = table_size_ + size <= limit_;
  put_number(block, fits ? 0x40 : 0, fits ? 6 : 4, static_name(name));
  if (static_name(name) == 0) put_text(block, name);
  put_text(block, value);
  if (!fits) return;
  table_.push_back(Field{std::string(name), std::string(value)});
  table_size_ += size;
}

}  // namespace etcdmon::bench
