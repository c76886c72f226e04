// app/named_files.hpp: the files that a name with * stands for.
#pragma once

#include <string>
#include <vector>

namespace etcdmon::app {

/// In order; a name without *, ? or [ stands for itself, whether it is there or not.
std::vector<std::string> files_named(const std::string& name);

}  // namespace etcdmon::app
