// api/rest/alerts.hpp: how an alert is written.
#pragma once

#include "api/json_writer.hpp"
#include "model/alert.hpp"

namespace etcdmon::api::rest {

void write_alert(JsonWriter& json, const model::Alert& alert);

}  // namespace etcdmon::api::rest
