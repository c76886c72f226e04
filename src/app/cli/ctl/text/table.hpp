// app/cli/ctl/text/table.hpp: a table for a terminal, laid out as etcdctl's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace etcdmon::app::cli::ctl {

struct Table {
  /// kAscii: etcdctl up to 3.6; kBoxes: 3.7.
  enum class Frame : unsigned char { kAscii, kBoxes };

  std::vector<std::string> header;             ///< printed in capitals, centred
  std::vector<std::vector<std::string>> rows;  ///< aligned to the right
};

/// Ends with a newline. Columns are as wide as their widest cell, counted in terminal cells.
std::string to_text(Table table, Table::Frame frame);

/// How many cells a terminal uses for it: two for East Asian wide characters, none for accents.
std::size_t display_width(std::string_view text);

}  // namespace etcdmon::app::cli::ctl
