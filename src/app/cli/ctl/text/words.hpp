// app/cli/ctl/text/words.hpp: a line of `txn` and `watch -i` taken apart into words, with etcdctl's
// quoting.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace etcdmon::app::cli::ctl {

/// Words are divided by white space. 'single quotes' keep everything as it is, "double quotes" know
/// Go's escapes; a quoted word ends where its quotes do, and a quote inside a bare word is part of
/// it. A lone quote is skipped.
Result<std::vector<std::string>> words_of(std::string_view line);

/// Without white space at both ends.
std::string_view trimmed(std::string_view text);

}  // namespace etcdmon::app::cli::ctl
