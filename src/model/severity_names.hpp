// model/severity_names.hpp: severities as options are written, for whoever declares some.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "model/verdict.hpp"

namespace etcdmon::config {

template <class T>
struct EnumNames;

template <>
struct EnumNames<model::Severity> {
  static constexpr std::array kNames{
      std::pair<std::string_view, model::Severity>{"info", model::Severity::kInfo},
      std::pair<std::string_view, model::Severity>{"warning", model::Severity::kWarning},
      std::pair<std::string_view, model::Severity>{"critical", model::Severity::kCritical}};
};

}  // namespace etcdmon::config
