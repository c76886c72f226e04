// app/alert_records.hpp: what the router must not forget, as records of state.db.
#pragma once

#include "alert/routing/group.hpp"
#include "alert/routing/silence.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "store/state_store.hpp"

namespace etcdmon::app {

store::Record record_of(const alert::Group& group);
store::Record record_of(const alert::Silence& silence);
store::Record record_of(const alert::Acknowledgement& acknowledgement);

/// Records keep wall times; on the steady clock a moment lies as far back as it does on the wall
/// clock, and never ahead, so that a clock that was set back makes nobody wait.
/// Errors: kDataLoss.
Result<alert::Group> parse_group(const store::Record& record, Now now);
Result<alert::Silence> parse_silence(const store::Record& record);
Result<alert::Acknowledgement> parse_acknowledgement(const store::Record& record);

}  // namespace etcdmon::app
