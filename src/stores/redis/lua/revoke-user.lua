#!lua flags=allow-oom
--[[
Ends all sessions of a user, but one if so asked, and raises the user's epoch. To erase a user, it
also removes everything else that the index knows.

KEYS[1] u: index of the user (hash)
KEYS[2] d: live sessions by deadline (zset)
KEYS[3] c: counters (hash)
KEYS[4] o: ends nobody has announced yet (hash)

ARGV[1] the first 13 characters of the user's session ids
ARGV[2] own part of the session to spare, or empty
ARGV[3] reason (letter)
ARGV[4] limits, see _limits
ARGV[5] most tombstones
ARGV[6] margin, ms
ARGV[7] erase: 1 or 0

Returns { 'revoked', now, epoch, number of expired sessions that were removed, their ids,
  then for each session that ended: id, reason, ended at, created, user id }
]]
--@include "now"
local u = KEYS[1]
local limits = ARGV[4]
local counters = KEYS[3]
local erase = ARGV[7] == '1'
local max_tombstones = tonumber(ARGV[5])
--@include "facts"
--@include "cutoff"
--@include "limits"
--@include "live"
--@include "text"
--@include "expiry"
--@include "counters"
--@include "finish"
--@include "outbox"
-- Two in one millisecond differ too, and an epoch that was forgotten is still older than the next.
local stands, is_foreign = read_key('HGET', u, 'e')
if is_foreign then
  redis.call('DEL', u)
end
local epoch = math.max(now, (tonumber(stands or 0) or 0) + 1)
redis.call('HSET', u, 'e', epoch)
keep_until(u, now + 86400000 + tonumber(ARGV[6]))

local user_id = user_id_of(u)
local all = redis.call('HGETALL', u)
local limits_by_own = {}
for i = 1, #all, 2 do
  if #all[i] == 12 then
    limits_by_own[all[i]] = all[i + 1]
  end
end
local expired, ended = {}, {}
for i = 1, #all, 2 do
  local own = all[i]
  if #own == 11 and own ~= ARGV[2] and is_live(all[i + 1]) then
    local e = read_facts(u, own, all[i + 1], limits_by_own[own .. 'l'])
    local id = ARGV[1] .. own
    if settle(u, KEYS[2], id, e) then
      finish(u, KEYS[2], id, e, ARGV[3], now, true)
      for _, value in ipairs({ id, ARGV[3], now, e.created, user_id }) do
        ended[#ended + 1] = value
      end
    elseif erase then
      local reason, ended_at = expiry_of(e)
      finish(u, KEYS[2], id, e, reason, ended_at, true)
      put_end(KEYS[4], id, reason, ended_at, e.created, user_id, 0)
      expired[#expired + 1] = id
    end
  end
end
write_counters(counters)
if #expired > 0 then
  redis.call('PEXPIREAT', KEYS[4], now + outbox_ttl)
end
if erase then
  -- Not the key itself: while its slot moves, it could not be made again.
  for _, field in ipairs(redis.call('HKEYS', u)) do
    if field ~= 'e' then
      redis.call('HDEL', u, field)
    end
  end
  redis.call('PEXPIREAT', u, now + 86400000 + tonumber(ARGV[6]))
end
local reply = { 'revoked', now, epoch, #expired }
for _, value in ipairs(expired) do
  reply[#reply + 1] = value
end
for _, value in ipairs(ended) do
  reply[#reply + 1] = value
end
return reply
