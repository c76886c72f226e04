#include "collect/scrape/exposition.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "collect/scrape/number.hpp"

namespace etcdmon::collect {

namespace {

enum CharClass : std::uint8_t { kNameStart = 1, kNameRest = 2, kLabelStart = 4, kLabelRest = 8 };

constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = c >= '0' && c <= '9';
    unsigned bits = 0;
    if (letter) bits |= kNameStart | kNameRest | kLabelStart | kLabelRest;
    if (c == ':') bits |= kNameStart | kNameRest;
    if (digit) bits |= kNameRest | kLabelRest;
    classes[c] = static_cast<std::uint8_t>(bits);
  }
  return classes;
}();

bool is(char c, CharClass which) {
  return (kClasses[static_cast<unsigned char>(c)] & which) != 0;
}
bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

const char* skip_blanks(const char* at, const char* end) {
  while (at != end && is_blank(*at)) ++at;
  return at;
}

const char* skip_name(const char* at, const char* end, CharClass start, CharClass rest) {
  if (at == end || !is(*at, start)) return nullptr;
  ++at;
  while (at != end && is(*at, rest)) ++at;
  return at;
}

// True where the bytes from `at` form whole UTF-8 sequences: no overlong forms, no surrogates.
bool is_utf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = p + text.size();
  while (p != end) {
    if (*p < 0x80) {
      ++p;
      continue;
    }
    const int more = *p >= 0xF0 ? 3 : *p >= 0xE0 ? 2 : 1;
    if (*p < 0xC2 || *p > 0xF4 || end - p <= more) return false;
    const unsigned char second = p[1];
    if ((*p == 0xE0 && second < 0xA0) || (*p == 0xED && second > 0x9F) ||
        (*p == 0xF0 && second < 0x90) || (*p == 0xF4 && second > 0x8F)) {
      return false;
    }
    for (int i = 1; i <= more; ++i) {
      if ((p[i] & 0xC0U) != 0x80U) return false;
    }
    p += more + 1;
  }
  return true;
}

// From behind the opening quote to the closing one; nullptr if it is not closed or is no text.
const char* skip_quoted(const char* at, const char* end) {
  const char* const start = at;
  bool ascii = true;
  while (at != end && *at != '"') {
    if (*at == '\\' && ++at == end) return nullptr;
    if (static_cast<unsigned char>(*at) >= 0x80) ascii = false;
    ++at;
  }
  if (at == end) return nullptr;
  if (!ascii && !is_utf8({start, static_cast<std::size_t>(at - start)})) return nullptr;
  return at;
}

// From behind '{' to '}'; nullptr if what stands between are no labels.
const char* skip_labels(const char* at, const char* end) {
  at = skip_blanks(at, end);
  while (at != end && *at != '}') {
    at = skip_name(at, end, kLabelStart, kLabelRest);
    if (at == nullptr) return nullptr;
    at = skip_blanks(at, end);
    if (at == end || *at != '=') return nullptr;
    at = skip_blanks(at + 1, end);
    if (at == end || *at != '"') return nullptr;
    at = skip_quoted(at + 1, end);
    if (at == nullptr) return nullptr;
    at = skip_blanks(at + 1, end);
    if (at == end) return nullptr;
    if (*at == ',') {
      at = skip_blanks(at + 1, end);
    } else if (*at != '}') {
      return nullptr;
    }
  }
  return at == end ? nullptr : at;
}

// The rest of a line behind "# " of an exemplar.
bool is_exemplar(const char* at, const char* end) {
  at = skip_blanks(at, end);
  if (at == end || *at != '{') return false;
  at = skip_labels(at + 1, end);
  if (at == nullptr) return false;
  double ignored = 0;
  at = parse_number(skip_blanks(at + 1, end), end, ignored);
  if (at == nullptr) return false;
  if (at == end) return true;
  if (!is_blank(*at)) return false;
  at = skip_blanks(at, end);
  if (at == end) return true;
  at = parse_number(at, end, ignored);
  return at != nullptr && skip_blanks(at, end) == end;
}

// What may stand behind a value: a timestamp, an exemplar, blanks.
bool parse_tail(const char* at, const char* end, Sample& out) {
  if (at == end) return true;
  if (!is_blank(*at)) return false;
  at = skip_blanks(at, end);
  if (at != end && *at != '#') {
    double timestamp = 0;
    at = parse_number(at, end, timestamp);
    if (at == nullptr || (at != end && !is_blank(*at))) return false;
    out.timestamp = timestamp;
    at = skip_blanks(at, end);
  }
  return at == end || (*at == '#' && is_exemplar(at + 1, end));
}

bool parse_line(const char* at, const char* end, Sample& out) {
  const char* const start = at;
  at = skip_name(at, end, kNameStart, kNameRest);
  if (at == nullptr) return false;
  out.name = {start, static_cast<std::size_t>(at - start)};
  out.labels = Labels();
  out.timestamp.reset();

  const char* const after_name = at;
  at = skip_blanks(at, end);
  if (at != end && *at == '{') {
    const char* const open = at + 1;
    at = skip_labels(open, end);
    if (at == nullptr) return false;
    out.labels = Labels({open, static_cast<std::size_t>(at - open)});
    at = skip_blanks(at + 1, end);
  } else if (at == after_name) {
    return false;
  }
  out.head = {start, static_cast<std::size_t>(at - start)};
  at = parse_number(at, end, out.value);
  return at != nullptr && parse_tail(at, end, out);
}

}  // namespace

bool Labels::next(std::size_t& at, std::string_view& name, std::string_view& value) const {
  while (at < raw_.size() && (is_blank(raw_[at]) || raw_[at] == ',')) ++at;
  const std::size_t name_start = at;
  while (at < raw_.size() && is(raw_[at], kLabelRest)) ++at;
  name = raw_.substr(name_start, at - name_start);
  while (at < raw_.size() && raw_[at] != '"') ++at;
  if (at >= raw_.size()) return false;
  const std::size_t value_start = ++at;
  while (at < raw_.size() && raw_[at] != '"') at += raw_[at] == '\\' ? 2 : 1;
  if (at >= raw_.size()) return false;
  value = raw_.substr(value_start, at - value_start);
  ++at;
  return true;
}

std::optional<std::string_view> Labels::find(std::string_view wanted) const {
  std::size_t at = 0;
  std::string_view name;
  std::string_view value;
  while (next(at, name, value)) {
    if (name == wanted) return value;
  }
  return std::nullopt;
}

std::string unescape(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char after = value[i] == '\\' && i + 1 < value.size() ? value[i + 1] : '\0';
    if (after == '\\' || after == '"' || after == 'n') {
      out += after == 'n' ? '\n' : after;
      ++i;
    } else {
      out += value[i];
    }
  }
  return out;
}

bool ExpositionReader::next(Sample& out) {
  while (at_ != end_) {
    const auto* newline =
        static_cast<const char*>(std::memchr(at_, '\n', static_cast<std::size_t>(end_ - at_)));
    const char* stop = newline == nullptr ? end_ : newline;
    const char* start = skip_blanks(at_, stop);
    at_ = newline == nullptr ? end_ : newline + 1;
    if (stop != start && stop[-1] == '\r') --stop;
    if (start == stop) continue;
    if (saw_eof_) {
      ++malformed_;
      continue;
    }
    if (*start == '#') {
      saw_eof_ = std::string_view(start, static_cast<std::size_t>(stop - start)) == "# EOF";
      continue;
    }
    if (parse_line(start, stop, out)) return true;
    ++malformed_;
  }
  return false;
}

}  // namespace etcdmon::collect
