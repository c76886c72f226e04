#include "store/redis_outbox.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "store/detail/redis_link.hpp"
#include "store/json.hpp"

namespace etcdmon::store {

namespace {

using detail::RedisReply;
using model::Notification;

// Keys of a channel, from its base: :stream and its group; :entry:ID (a hash); :key:DEDUP (the ids
// of that key, oldest first); :due (ids that back off, by time); :until (leases, by their end);
// :blocked (read from the stream, but an older entry of the key is still there); :told:DEDUP (what
// was said last), :holders:DEDUP (who sees it, by when to forget them), :over (ends that wait for
// the last holder).
constexpr const char* kCommon = R"(
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function keys(base)
  return {stream = base .. ':stream', due = base .. ':due', till = base .. ':until',
          blocked = base .. ':blocked', entry = base .. ':entry:', key = base .. ':key:',
          told = base .. ':told:', holders = base .. ':holders:', over = base .. ':over'}
end
local function group(k)
  redis.pcall('XGROUP', 'CREATE', k.stream, 'workers', '0', 'MKSTREAM')
end
local function add(k, dedup, status, why, body, created)
  local id = redis.call('XADD', k.stream, '*', 'dedup', dedup)
  redis.call('HSET', k.entry .. id, 'dedup', dedup, 'status', status, 'why', why, 'body', body,
             'created', created, 'attempts', 0)
  redis.call('RPUSH', k.key .. dedup, id)
end
local function leave(k, id)
  local dedup = redis.call('HGET', k.entry .. id, 'dedup')
  redis.call('XACK', k.stream, 'workers', id)
  redis.call('XDEL', k.stream, id)
  redis.call('DEL', k.entry .. id)
  redis.call('ZREM', k.till, id)
  redis.call('LREM', k.key .. dedup, 1, id)
  local next = redis.call('LINDEX', k.key .. dedup, 0)
  if next and redis.call('SREM', k.blocked, next) == 1 then
    redis.call('ZADD', k.due, now(), next)
  end
end
)";

// KEYS: channels set. ARGV: base prefix, most, holder, how long it holds, then channel, dedup,
// status, why, body, created, content.
constexpr const char* kPush = R"(
for i = 5, #ARGV, 7 do
  local k = keys(ARGV[1] .. ARGV[i])
  if redis.call('XLEN', k.stream) >= tonumber(ARGV[2]) then return 'full' end
end
local holder, at = ARGV[3], now()
-- Whether this is news, seen by all monitors together.
local function is_news(k, dedup, status, why, body, created, content)
  if holder == '' or why == 'test' then return true end
  local told, holders = k.told .. dedup, k.holders .. dedup
  redis.call('ZREMRANGEBYSCORE', holders, '-inf', at)
  local before = redis.call('HMGET', told, 'status', 'content', 'at')
  if status == 'resolved' then
    redis.call('ZREM', holders, holder)
    local last = redis.call('ZREVRANGE', holders, 0, 0, 'WITHSCORES')
    if last[2] then
      redis.call('HSET', told, 'over_body', body, 'over_created', created)
      redis.call('ZADD', k.over, last[2], dedup)
      return false
    end
    redis.call('ZREM', k.over, dedup)
    if before[1] == 'resolved' then return false end
  else
    redis.call('ZADD', holders, at + tonumber(ARGV[4]), holder)
    redis.call('PEXPIRE', holders, ARGV[4])
    redis.call('ZREM', k.over, dedup)
    local same = before[1] == status and before[2] == content
    if same and (why == 'new' or why == 'changed' or at - tonumber(before[3]) < 60000) then
      return false
    end
  end
  redis.call('HSET', told, 'status', status, 'content', content, 'at', at)
  redis.call('EXPIRE', told, 30 * 86400)
  return true
end
for i = 5, #ARGV, 7 do
  local channel, dedup, status, why, body, created, content = unpack(ARGV, i, i + 6)
  local k = keys(ARGV[1] .. channel)
  redis.call('SADD', KEYS[1], channel)
  group(k)
  if is_news(k, dedup, status, why, body, created, content) then
    local last = redis.call('LINDEX', k.key .. dedup, -1)
    local leased = last and redis.call('ZSCORE', k.till, last)
    if last and not (leased and tonumber(leased) > at) and
       redis.call('HGET', k.entry .. last, 'status') == status then
      local before = redis.call('HGET', k.entry .. last, 'why')
      if before ~= 'new' and before ~= 'escalated' then
        redis.call('HSET', k.entry .. last, 'why', why)
      end
      redis.call('HSET', k.entry .. last, 'body', body)
    else
      add(k, dedup, status, why, body, created)
    end
  end
end
return 'ok'
)";

// KEYS: channels set. ARGV: base prefix, holder, how long it holds, then dedup keys.
constexpr const char* kHold = R"(
local till = now() + tonumber(ARGV[3])
for _, channel in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local k = keys(ARGV[1] .. channel)
  for i = 4, #ARGV do
    local status = redis.call('HGET', k.told .. ARGV[i], 'status')
    if status and status ~= 'resolved' then
      redis.call('ZADD', k.holders .. ARGV[i], till, ARGV[2])
      redis.call('PEXPIRE', k.holders .. ARGV[i], ARGV[3])
    end
  end
end
return 1
)";

// KEYS: channels set. ARGV: base, limit, hold in ms, consumer, token.
// Returns {next in ms or -1, id, body, why, attempts, id, …}.
constexpr const char* kClaim = R"(
local k = keys(ARGV[1])
local limit, hold = tonumber(ARGV[2]), tonumber(ARGV[3])
local at = now()
group(k)
for _, dedup in ipairs(redis.call('ZRANGEBYSCORE', k.over, '-inf', at, 'LIMIT', 0, 100)) do
  redis.call('ZREMRANGEBYSCORE', k.holders .. dedup, '-inf', at)
  local last = redis.call('ZREVRANGE', k.holders .. dedup, 0, 0, 'WITHSCORES')
  if last[2] then
    redis.call('ZADD', k.over, last[2], dedup)
  else
    local e = redis.call('HMGET', k.told .. dedup, 'over_body', 'over_created')
    redis.call('ZREM', k.over, dedup)
    redis.call('HSET', k.told .. dedup, 'status', 'resolved')
    if e[1] then add(k, dedup, 'resolved', 'resolved', e[1], e[2]) end
  end
end
local out = {0}
local taken = 0
local function lease(id)
  local e = redis.call('HMGET', k.entry .. id, 'body', 'why', 'attempts')
  redis.call('HSET', k.entry .. id, 'lease', ARGV[5])
  redis.call('ZADD', k.till, at + hold, id)
  taken = taken + 1
  for _, v in ipairs({id, e[1], e[2], e[3]}) do out[#out + 1] = v end
end
for _, set in ipairs({k.till, k.due}) do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', set, '-inf', at, 'LIMIT', 0, limit)) do
    if taken < limit then
      redis.call('XCLAIM', k.stream, 'workers', ARGV[4], 0, id, 'JUSTID')
      redis.call('ZREM', set, id)
      lease(id)
    end
  end
end
while taken < limit do
  local got = redis.call('XREADGROUP', 'GROUP', 'workers', ARGV[4], 'COUNT', limit - taken,
                         'STREAMS', k.stream, '>')
  if not got then break end
  for _, item in ipairs(got[1][2]) do
    local id = item[1]
    local dedup = redis.call('HGET', k.entry .. id, 'dedup')
    if not dedup then
      redis.call('XACK', k.stream, 'workers', id)
    elseif redis.call('LINDEX', k.key .. dedup, 0) == id then
      lease(id)
    else
      redis.call('SADD', k.blocked, id)
    end
  end
end
local next = -1
if taken == limit then
  next = 0
else
  for _, set in ipairs({k.till, k.due, k.over}) do
    local first = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')
    if first[2] and (next < 0 or tonumber(first[2]) - at < next) then
      next = math.max(tonumber(first[2]) - at, 0)
    end
  end
end
out[1] = next
return out
)";

// KEYS: dead letters (hash), their order (zset). ARGV: base, id, token, kind, backoff in ms, died
// at (ns), why, counted (1: an attempt was made), channel.
constexpr const char* kSettle = R"(
local k = keys(ARGV[1])
local id, kind = ARGV[2], ARGV[4]
if redis.call('HGET', k.entry .. id, 'lease') ~= ARGV[3] then return 0 end
if kind == 'dead' then
  local e = redis.call('HMGET', k.entry .. id, 'dedup', 'status', 'why', 'body', 'created', 'attempts')
  local letter = ARGV[9] .. ':' .. id
  redis.call('HSET', KEYS[1], letter, cmsgpack.pack({ARGV[9], e[1], e[2], e[3], e[4], e[5],
             tostring(tonumber(e[6]) + tonumber(ARGV[8])), ARGV[6], ARGV[7]}))
  redis.call('ZADD', KEYS[2], now(), letter)
end
if kind == 'dead' or kind == 'delivered' then
  leave(k, id)
  return 1
end
redis.call('HDEL', k.entry .. id, 'lease')
redis.call('ZREM', k.till, id)
redis.call('HINCRBY', k.entry .. id, 'attempts', kind == 'retry' and 1 or 0)
redis.call('ZADD', k.due, now() + tonumber(ARGV[5]), id)
return 1
)";

// KEYS: dead letters, their order. ARGV: limit. Returns lists of nine, after each one's id.
constexpr const char* kDead = R"(
local out = {}
for _, letter in ipairs(redis.call('ZREVRANGE', KEYS[2], 0, tonumber(ARGV[1]) - 1)) do
  local e = cmsgpack.unpack(redis.call('HGET', KEYS[1], letter))
  out[#out + 1] = {letter, e[5], e[4], e[7], e[8], e[9]}
end
return out
)";

// KEYS: dead letters, their order, channels set. ARGV: base prefix, id.
constexpr const char* kRevive = R"(
local packed = redis.call('HGET', KEYS[1], ARGV[2])
if not packed then return 0 end
local e = cmsgpack.unpack(packed)
local k = keys(ARGV[1] .. e[1])
redis.call('SADD', KEYS[3], e[1])
group(k)
add(k, e[2], e[3], e[4], e[5], e[6])
redis.call('HDEL', KEYS[1], ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[2])
return 1
)";

// KEYS: dead letters, their order. ARGV: id.
constexpr const char* kDrop = R"(
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])
)";

// KEYS: dead letters, channels set. ARGV: base prefix. Returns {channel, waiting, dead, oldest}.
constexpr const char* kCounts = R"(
local dead, out = {}, {}
for _, letter in ipairs(redis.call('HKEYS', KEYS[1])) do
  local channel = string.match(letter, '^(.*):[^:]*$')
  dead[channel] = (dead[channel] or 0) + 1
end
for _, channel in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  local k = keys(ARGV[1] .. channel)
  local oldest = ''
  for _, item in ipairs(redis.call('XRANGE', k.stream, '-', '+')) do
    local created = redis.call('HGET', k.entry .. item[1], 'created')
    if created and (oldest == '' or #created < #oldest or (#created == #oldest and created < oldest)) then
      oldest = created
    end
  end
  out[#out + 1] = {channel, redis.call('XLEN', k.stream), dead[channel] or 0, oldest}
end
return out
)";

std::string own_name() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("{}-{}", host.data(), ::getpid());
}

std::int64_t nanoseconds(WallTime time) {
  return time.time_since_epoch().count();
}

std::int64_t number_of(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string_view word_of(Settlement::Kind kind) {
  switch (kind) {
    case Settlement::Kind::kDelivered:
      return "delivered";
    case Settlement::Kind::kRetry:
      return "retry";
    case Settlement::Kind::kDead:
      return "dead";
    case Settlement::Kind::kReleased:
      return "released";
  }
  return "released";
}

// A notification whose reason was kept from one that it replaced.
Result<Notification> parsed(const std::string& body, const std::string& why) {
  auto notification = parse_notification(body);
  if (notification) notification->why = model::parse_why(why).value_or(notification->why);
  return notification;
}

// What would have to differ for it to be news.
std::string content_of(const Notification& notification) {
  std::string content;
  for (const auto& alert : notification.alerts)
    content += fmt::format("{} {} {};", alert.id, model::name_of(alert.severity), alert.resolved);
  return content;
}

Error unexpected() {
  return {ErrorCode::kDataLoss, "Redis holds an entry that is not ours"};
}

}  // namespace

struct RedisOutbox::State {
  State(net::Resolver& resolver, RedisOutboxOptions given)
      : options(std::move(given)),
        link(resolver, {.endpoint = options.endpoint,
                        .tls = options.tls,
                        .user = options.user,
                        .password = options.password,
                        .database = options.database}) {
    if (options.consumer.empty()) options.consumer = own_name();
  }

  // All keys of one prefix lie in one slot of a Redis Cluster.
  std::string base() const { return fmt::format("{{{}}}:q:", options.prefix); }
  std::string channels() const { return fmt::format("{{{}}}:channels", options.prefix); }
  std::string dead() const { return fmt::format("{{{}}}:dead", options.prefix); }
  std::string dead_order() const { return fmt::format("{{{}}}:dead:order", options.prefix); }

  Task<Result<RedisReply>> script(const char* text, std::vector<std::string> keys,
                                  std::vector<std::string> arguments) {
    std::vector<std::string> command = {"EVAL", fmt::format("{}{}", kCommon, text),
                                        std::to_string(keys.size())};
    for (auto& key : keys) command.push_back(std::move(key));
    for (auto& argument : arguments) command.push_back(std::move(argument));
    return link.run(std::move(command));
  }

  RedisOutboxOptions options;
  detail::RedisLink link;
  std::uint64_t leases = 0;
};

RedisOutbox::RedisOutbox(net::Resolver& resolver, RedisOutboxOptions options)
    : state_(std::make_unique<State>(resolver, std::move(options))) {}
RedisOutbox::~RedisOutbox() = default;

Task<Result<void>> RedisOutbox::push(std::vector<Notification> notifications) {
  if (notifications.empty()) co_return Result<void>{};
  std::vector<std::string> arguments = {state_->base(), std::to_string(state_->options.max_waiting),
                                        state_->options.holder,
                                        std::to_string(state_->options.holds_for.count())};
  for (const auto& notification : notifications) {
    arguments.push_back(notification.channel);
    arguments.push_back(notification.dedup_key);
    arguments.emplace_back(name_of(notification.status));
    arguments.emplace_back(name_of(notification.why));
    arguments.push_back(to_json(notification));
    arguments.push_back(std::to_string(nanoseconds(notification.created_at)));
    arguments.push_back(content_of(notification));
  }
  auto pushing = state_->script(kPush, {state_->channels()}, std::move(arguments));
  const auto reply = co_await std::move(pushing);
  if (!reply) co_return reply.error();
  if (reply->text == "ok") co_return Result<void>{};
  co_return Error{ErrorCode::kResourceExhausted,
                  fmt::format("{} notifications are waiting already", state_->options.max_waiting)};
}

Task<Result<void>> RedisOutbox::hold(std::vector<std::string> dedup_keys) {
  if (dedup_keys.empty() || state_->options.holder.empty()) co_return Result<void>{};
  std::vector<std::string> arguments = {state_->base(), state_->options.holder,
                                        std::to_string(state_->options.holds_for.count())};
  for (auto& key : dedup_keys) arguments.push_back(std::move(key));
  auto holding = state_->script(kHold, {state_->channels()}, std::move(arguments));
  const auto reply = co_await std::move(holding);
  if (!reply) co_return reply.error();
  co_return Result<void>{};
}

Task<Result<Claimed>> RedisOutbox::claim(std::string channel, std::size_t limit,
                                         std::chrono::milliseconds hold) {
  const auto token = fmt::format("{}:{}", state_->options.consumer, ++state_->leases);
  const auto begun = std::chrono::steady_clock::now();
  std::vector<std::string> arguments = {state_->base() + channel, std::to_string(limit),
                                        std::to_string(hold.count()), state_->options.consumer,
                                        token};
  auto claiming = state_->script(kClaim, {state_->channels()}, std::move(arguments));
  const auto reply = co_await std::move(claiming);
  if (!reply) co_return reply.error();
  const auto& list = reply->list;
  if (list.empty() || list.size() % 4 != 1) co_return unexpected();
  Claimed claimed;
  if (list[0].number >= 0) claimed.next_in = std::chrono::milliseconds(list[0].number);
  for (std::size_t i = 1; i < list.size(); i += 4) {
    auto notification = parsed(list[i + 1].text, list[i + 2].text);
    if (!notification) co_return std::move(notification).error();
    claimed.leases.push_back({.id = fmt::format("{}|{}|{}", list[i].text, token, channel),
                              .notification = *std::move(notification),
                              .attempt = static_cast<int>(number_of(list[i + 3].text)) + 1,
                              .expires = begun + hold});
  }
  co_return claimed;
}

Task<Result<void>> RedisOutbox::settle(std::string lease_id, Settlement settlement) {
  const auto first = lease_id.find('|');
  const auto second = lease_id.find('|', first == std::string::npos ? first : first + 1);
  if (second == std::string::npos) co_return Error{ErrorCode::kNotFound, "no such lease"};
  const auto channel = lease_id.substr(second + 1);
  const bool counted = settlement.attempt.has_value();
  std::vector<std::string> arguments = {state_->base() + channel,
                                        lease_id.substr(0, first),
                                        lease_id.substr(first + 1, second - first - 1),
                                        std::string(word_of(settlement.kind)),
                                        std::to_string(settlement.backoff.count()),
                                        std::to_string(nanoseconds(SystemClock{}.now().wall)),
                                        counted ? settlement.attempt->why : std::string(),
                                        counted ? "1" : "0",
                                        channel};
  auto settling =
      state_->script(kSettle, {state_->dead(), state_->dead_order()}, std::move(arguments));
  const auto reply = co_await std::move(settling);
  if (!reply) co_return reply.error();
  if (reply->number == 1) co_return Result<void>{};
  co_return Error{ErrorCode::kNotFound,
                  "the lease is over: the entry has left, or another worker has it"};
}

Task<Result<std::vector<DeadLetter>>> RedisOutbox::dead_letters(std::size_t limit) {
  auto asking =
      state_->script(kDead, {state_->dead(), state_->dead_order()}, {std::to_string(limit)});
  const auto reply = co_await std::move(asking);
  if (!reply) co_return reply.error();
  std::vector<DeadLetter> letters;
  for (const auto& row : reply->list) {
    if (row.list.size() != 6) co_return unexpected();
    auto notification = parsed(row.list[1].text, row.list[2].text);
    if (!notification) co_return std::move(notification).error();
    letters.push_back({.id = row.list[0].text,
                       .notification = *std::move(notification),
                       .attempts = static_cast<int>(number_of(row.list[3].text)),
                       .died_at = WallTime(std::chrono::nanoseconds(number_of(row.list[4].text))),
                       .why = row.list[5].text});
  }
  co_return letters;
}

Task<Result<void>> RedisOutbox::revive(std::string dead_letter_id) {
  auto asking = state_->script(kRevive, {state_->dead(), state_->dead_order(), state_->channels()},
                               {state_->base(), std::move(dead_letter_id)});
  const auto reply = co_await std::move(asking);
  if (!reply) co_return reply.error();
  if (reply->number == 1) co_return Result<void>{};
  co_return Error{ErrorCode::kNotFound, "no such dead letter"};
}

Task<Result<void>> RedisOutbox::drop(std::string dead_letter_id) {
  auto asking =
      state_->script(kDrop, {state_->dead(), state_->dead_order()}, {std::move(dead_letter_id)});
  const auto reply = co_await std::move(asking);
  if (!reply) co_return reply.error();
  if (reply->number == 1) co_return Result<void>{};
  co_return Error{ErrorCode::kNotFound, "no such dead letter"};
}

Task<Result<std::vector<QueueCount>>> RedisOutbox::counts() {
  auto asking = state_->script(kCounts, {state_->dead(), state_->channels()}, {state_->base()});
  const auto reply = co_await std::move(asking);
  if (!reply) co_return reply.error();
  std::vector<QueueCount> counts;
  for (const auto& row : reply->list) {
    if (row.list.size() != 4) co_return unexpected();
    auto& count = counts.emplace_back();
    count.channel = row.list[0].text;
    count.waiting = static_cast<std::uint64_t>(row.list[1].number);
    count.dead = static_cast<std::uint64_t>(row.list[2].number);
    if (!row.list[3].text.empty())
      count.oldest = WallTime(std::chrono::nanoseconds(number_of(row.list[3].text)));
  }
  std::ranges::sort(counts, {}, &QueueCount::channel);
  co_return counts;
}

}  // namespace etcdmon::store
