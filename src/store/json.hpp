// store/json.hpp: how alerts and notifications are written into records, and read again.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/alert.hpp"
#include "model/notification.hpp"

namespace etcdmon::store {

/// Times are nanoseconds since 1970, so that nothing is lost on the way.
std::string to_json(const model::Alert& alert);
std::string to_json(const model::AlertEvent& event);
std::string to_json(const model::Notification& notification);

/// Unknown keys are left alone and missing ones keep their defaults, so that versions can read each
/// other. Errors: kDataLoss.
Result<model::Alert> parse_alert(std::string_view text);
Result<model::AlertEvent> parse_alert_event(std::string_view text);
Result<model::Notification> parse_notification(std::string_view text);

}  // namespace etcdmon::store
