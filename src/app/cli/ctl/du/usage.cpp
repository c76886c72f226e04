#include "app/cli/ctl/du/usage.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "app/cli/ctl/text/json_writer.hpp"
#include "app/cli/ctl/text/table.hpp"
#include "base/units.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

constexpr std::string_view kOther = "(all others)";

void count(PrefixUsage& usage, std::int64_t bytes, std::int64_t writes) {
  ++usage.keys;
  usage.bytes += bytes;
  usage.largest = std::max(usage.largest, bytes);
  usage.writes += writes;
}

void append_json(JsonWriter& json, const PrefixUsage& usage) {
  json.field("keys", usage.keys)
      .field("size_bytes", usage.bytes)
      .field("largest_bytes", usage.largest)
      .field("writes", usage.writes);
}

std::string percent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? ""
                    : fmt::format("{:.1f}%",
                                  100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::vector<std::string> cells(const PrefixUsage& usage, std::int64_t all) {
  const auto size = [](std::int64_t bytes) {
    return human_bytes(static_cast<std::uint64_t>(bytes));
  };
  return {go_quoted(usage.prefix), fmt::format("{}", usage.keys),
          size(usage.bytes),       percent(usage.bytes, all),
          size(usage.largest),     fmt::format("{}", usage.writes)};
}

}  // namespace

std::string_view Usage::group_of(std::string_view key) const {
  std::size_t end = std::min(prefix_.size(), key.size());
  // A leading slash begins a path and divides nothing.
  if (end == 0 && key.starts_with('/')) end = 1;
  for (std::size_t i = 0; i < depth_; ++i) {
    const auto slash = key.find('/', end);
    if (slash == std::string_view::npos) break;
    end = slash + 1;
  }
  return key.substr(0, end);
}

void Usage::add(const wire::KeyValue& kv) {
  const auto bytes = static_cast<std::int64_t>(kv.key().size() + kv.value().size());
  count(total_, bytes, kv.version());
  std::string_view group = group_of(kv.key());
  auto it = groups_.find(group);
  if (it == groups_.end()) {
    if (groups_.size() >= kMostPrefixes) group = kOther;
    it = groups_.try_emplace(std::string(group)).first;
    it->second.prefix = group;
  }
  count(it->second, bytes, kv.version());
}

std::vector<PrefixUsage> Usage::rows(std::size_t top) const {
  std::vector<PrefixUsage> rows;
  for (const auto& [prefix, usage] : groups_) rows.push_back(usage);
  std::ranges::stable_sort(rows, std::greater{}, &PrefixUsage::bytes);
  if (top > 0 && rows.size() > top) rows.resize(top);
  return rows;
}

std::string to_text(const Usage& usage, std::size_t top, Format format) {
  const auto rows = usage.rows(top);
  if (format == Format::kJson) {
    std::string out;
    JsonWriter json(out);
    json.open('{');
    append_json(json, usage.total());
    json.key("prefixes").open('[');
    for (const auto& row : rows) {
      json.open('{').field("prefix", row.prefix);
      append_json(json, row);
      json.close('}');
    }
    json.close(']').close('}');
    return out;
  }
  Table table{{"prefix", "keys", "size", "share", "largest", "writes"}, {}};
  for (const auto& row : rows) table.rows.push_back(cells(row, usage.total().bytes));
  auto all = cells(usage.total(), usage.total().bytes);
  all.front() = "all";
  table.rows.push_back(std::move(all));
  auto text = to_text(std::move(table), Table::Frame::kAscii);
  text.pop_back();
  return text;
}

}  // namespace etcdmon::app::cli::ctl
