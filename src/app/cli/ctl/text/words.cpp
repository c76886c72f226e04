#include "app/cli/ctl/text/words.hpp"

#include <algorithm>

#include "app/cli/ctl/text/go_text.hpp"

namespace etcdmon::app::cli::ctl {

namespace {

constexpr std::string_view kSpaces = " \t\n\f\r";

// Length of the double-quoted word at the front, with its quotes; 0: it does not end.
std::size_t quoted_length(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return i + 1;
    if (text[i] == '\\') ++i;
  }
  return 0;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kAll = " \t\n\v\f\r";
  text.remove_prefix(std::min(text.find_first_not_of(kAll), text.size()));
  return text.substr(0, text.find_last_not_of(kAll) + 1);
}

Result<std::vector<std::string>> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    std::size_t length = 1;  // what stands for nothing is skipped
    if (line.front() == '"') {
      if (const auto whole = quoted_length(line); whole != 0) {
        auto text = line.substr(0, whole);
        auto word = take_quoted(text);
        if (!word) return Error{ErrorCode::kInvalidArgument, "invalid syntax"};
        words.push_back(*std::move(word));
        length = whole;
      }
    } else if (line.front() == '\'') {
      if (const auto end = line.find('\'', 1); end != std::string_view::npos) {
        words.emplace_back(line.substr(1, end - 1));
        length = end + 1;
      }
    } else if (kSpaces.find(line.front()) == std::string_view::npos) {
      length = std::min(line.find_first_of(kSpaces), line.size());
      words.emplace_back(line.substr(0, length));
    }
    line.remove_prefix(length);
  }
  return words;
}

}  // namespace etcdmon::app::cli::ctl
