// app/cli/ctl/print/output.hpp: how ctl prints: the format, and whose etcdctl it is equal to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace etcdmon::app::cli::ctl {

enum class Format : std::uint8_t { kSimple, kFields, kJson, kProtobuf, kTable };

/// The minor version of the etcdctl whose output it is.
// NOLINTNEXTLINE(readability-identifier-naming): versions are written with a dot.
enum class Compat : std::uint8_t { k3_4 = 4, k3_5 = 5, k3_6 = 6, k3_7 = 7 };

struct Output {
  Format format = Format::kSimple;
  Compat compat = Compat::k3_6;
  bool hex = false;
  bool value_only = false;    ///< get --print-value-only
  bool show_secrets = false;  ///< values below /registry/secrets/
};

/// What -w and --compat name. Errors are etcdctl's; the exit code is 4.
Result<Format> parse_format(std::string_view name);
Result<Compat> parse_compat(std::string_view version);
std::string_view name_of(Format format);

/// What goes where.
struct Printed {
  std::string out{};
  std::string err{};
};

}  // namespace etcdmon::app::cli::ctl
