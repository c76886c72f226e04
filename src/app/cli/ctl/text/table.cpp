#include "app/cli/ctl/text/table.hpp"

#include <algorithm>
#include <array>
#include <clocale>
#include <cwchar>
#include <limits>

#include "app/cli/ctl/text/go_text.hpp"

namespace etcdmon::app::cli::ctl {

namespace {

/// What stands at the left, between columns, at the right, and fills a rule.
struct Rule {
  std::string_view left, middle, right, fill;
};

struct Lines {
  Rule top, below_header, bottom;
  std::string_view bar;
};

constexpr Rule kDashes{"+", "+", "+", "-"};
constexpr Lines kAsciiLines{kDashes, kDashes, kDashes, "|"};
constexpr Lines kBoxLines{{"┌", "┬", "┐", "─"}, {"├", "┼", "┤", "─"}, {"└", "┴", "┘", "─"}, "│"};

// Cells of one row or of the header.
struct Cells {
  const std::vector<std::string>* cells = nullptr;
  bool centred = false;
  bool wraps = false;
};

std::string in_capitals(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c == '_') c = ' ';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// etcdctl breaks cells at this width; words are never broken.
constexpr std::size_t kWrapWidth = 30;

// Breaks a paragraph so that the squares of what lines leave free are least in sum; the last line
// does not count.
std::vector<std::string_view> wrapped(std::string_view cell) {
  const auto words = split(cell, ' ');
  std::size_t limit = kWrapWidth;
  std::vector<std::size_t> widths;
  for (const auto word : words) {
    widths.push_back(display_width(word));
    limit = std::max(limit, widths.back());
  }
  const std::size_t count = words.size();
  std::vector<std::size_t> cost(count + 1, std::numeric_limits<std::size_t>::max());
  std::vector<std::size_t> next(count + 1, count);
  cost[count] = 0;
  for (std::size_t first = count; first-- > 0;) {
    std::size_t width = 0;
    for (std::size_t end = first + 1; end <= count; ++end) {
      width += widths[end - 1] + (end - 1 > first ? 1 : 0);
      if (width > limit) break;
      const std::size_t free = end == count ? 0 : limit - width;
      if (end == count || free * free + cost[end] < cost[first]) {
        cost[first] = free * free + cost[end];
        next[first] = end;
      }
    }
  }
  std::vector<std::string_view> lines;
  for (std::size_t first = 0; first < count; first = next[first]) {
    const auto& last = words[next[first] - 1];
    const char* const begin = words[first].data();
    lines.emplace_back(begin, static_cast<std::size_t>(last.data() + last.size() - begin));
  }
  return lines;
}

std::vector<std::string_view> lines_of(std::string_view cell, bool wraps) {
  return wraps ? wrapped(cell) : split(cell, '\n');
}

void append_rule(std::string& out, const std::vector<std::size_t>& widths, const Rule& rule) {
  for (std::size_t i = 0; i < widths.size(); ++i) {
    out += i == 0 ? rule.left : rule.middle;
    for (std::size_t n = 0; n < widths[i] + 2; ++n) out += rule.fill;
  }
  out += rule.right;
  out += '\n';
}

void append_row(std::string& out, const std::vector<std::size_t>& widths, const Cells& row,
                std::string_view bar) {
  std::vector<std::vector<std::string_view>> lines;
  std::size_t height = 1;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const auto& cells = *row.cells;
    const auto cell = i < cells.size() ? std::string_view(cells[i]) : std::string_view();
    lines.push_back(lines_of(cell, row.wraps));
    height = std::max(height, lines.back().size());
  }
  for (std::size_t line = 0; line < height; ++line) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const auto text = line < lines[i].size() ? lines[i][line] : std::string_view();
      const auto room = widths[i] - display_width(text);
      const auto left = row.centred ? room / 2 : room;
      out += bar;
      out.append(left + 1, ' ');
      out += text;
      out.append(room - left + 1, ' ');
    }
    out += bar;
    out += '\n';
  }
}

}  // namespace

std::size_t display_width(std::string_view text) {
  static const locale_t kUnicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  const locale_t before = kUnicode == nullptr ? nullptr : uselocale(kUnicode);
  std::size_t width = 0;
  while (!text.empty()) {
    char32_t rune = 0;
    const auto length = decode_rune(text, rune);
    const int cells = length == 0 ? 1 : wcwidth(static_cast<wchar_t>(rune));
    width += cells > 0 ? static_cast<std::size_t>(cells) : 0;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  if (before != nullptr) uselocale(before);
  return width;
}

std::string to_text(Table table, Table::Frame frame) {
  const bool wraps = frame == Table::Frame::kAscii;
  for (auto& row : table.rows) {
    // A cell that is wrapped is one paragraph.
    for (auto& cell : row) {
      if (wraps) std::ranges::replace(cell, '\n', ' ');
    }
  }
  const Lines& lines = wraps ? kAsciiLines : kBoxLines;
  std::vector<std::string> header;
  for (const auto& name : table.header) header.push_back(in_capitals(name));
  std::vector<std::size_t> widths(header.size());
  const auto widen = [&widths, wraps](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < std::min(cells.size(), widths.size()); ++i) {
      for (const auto line : lines_of(cells[i], wraps)) {
        widths[i] = std::max(widths[i], display_width(line));
      }
    }
  };
  widen(header);
  for (const auto& row : table.rows) widen(row);

  std::string out;
  append_rule(out, widths, lines.top);
  append_row(out, widths, {&header, true, wraps}, lines.bar);
  append_rule(out, widths, lines.below_header);
  for (const auto& row : table.rows) append_row(out, widths, {&row, false, wraps}, lines.bar);
  append_rule(out, widths, lines.bottom);
  return out;
}

}  // namespace etcdmon::app::cli::ctl
