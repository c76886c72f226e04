// app/channel_trial.hpp: a channel tried out with a real message.
#pragma once

#include <string>
#include <string_view>

#include "api/alerting.hpp"
#include "app/settings.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/notification.hpp"
#include "notify/channel.hpp"
#include "notify/registry.hpp"

namespace etcdmon::app {

/// The row of this name. Errors: kNotFound, with the name that may have been meant.
Result<const notify::ChannelRow*> find_channel(std::string_view name);

/// The message: it says that it is a test, and that nothing is wrong.
model::Notification trial_notification(std::string_view channel, std::string_view cluster,
                                       WallTime now);

/// Sends it once, past the outbox, whether the channel is enabled or not: nothing is queued or
/// repeated. `services` must outlive it.
/// Errors: kInvalidArgument: the channel's section lacks something; that it was not delivered is
/// none.
Task<Result<api::ChannelTrial>> try_channel(const notify::ChannelRow& row,
                                            const AlertSettings& alerts,
                                            const notify::Services& services,
                                            model::Notification notification);

}  // namespace etcdmon::app
