// notify/common_options.hpp: what every channel's section has, and helpers to declare it.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/schema.hpp"
#include "model/severity_names.hpp"

namespace etcdmon::notify {

/// Base of each channel's options.
struct CommonOptions {
  bool enabled = false;
  model::Severity min_severity = model::Severity::kInfo;
  bool send_resolved = true;
  std::chrono::milliseconds timeout{15'000};
};

/// A channel's schema: the common fields, then its own. `sentence` says what `enabled` does.
template <class T>
config::Schema channel_schema(std::string sentence, std::vector<config::Field> own) {
  using namespace std::chrono_literals;
  std::vector<config::Field> fields{
      config::field("enabled", static_cast<bool T::*>(&T::enabled), std::move(sentence)),
      config::field("min_severity", static_cast<model::Severity T::*>(&T::min_severity),
                    "Alerts below it are not sent here."),
      config::field("send_resolved", static_cast<bool T::*>(&T::send_resolved),
                    "Also tell when an alert is over."),
      config::field("timeout", static_cast<std::chrono::milliseconds T::*>(&T::timeout),
                    "Time for one attempt.")
          .min(1s)
          .max(2min)};
  for (auto& field : own) fields.push_back(std::move(field));
  return config::Schema::of<T>("Alerts", std::move(fields));
}

/// Complains about `key` unless `set`.
void require(std::vector<config::Complaint>& complaints, bool set, std::string_view key);

/// A fault of what is no http:// or https:// URL; the answer does not carry it.
config::Fault http_url_fault(const Secret& url);

}  // namespace etcdmon::notify
