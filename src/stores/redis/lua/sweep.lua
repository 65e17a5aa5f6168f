#!lua flags=allow-oom
--[[
Ends those of the given sessions of one bucket that are past their deadline, and hands the ends to
the caller alone until the lease is over.

KEYS[1] d: live sessions of users by deadline (zset)
KEYS[2] a: live anonymous sessions by deadline (zset)
KEYS[3] c: counters (hash)
KEYS[4] o: ends nobody has announced yet (hash)
KEYS[5…] three for each session: u, s, f

ARGV[1] not after, ms
ARGV[2] limits, see _limits
ARGV[3] margin, ms
ARGV[4] most tombstones
ARGV[5] lease, ms
ARGV[6…] two for each session: id; is there a user: 1 or 0

Returns { 'late', now }
  { 'swept', now, number of user indexes that had lost their expiry, the positions of their sessions
    from 0, number of index entries without a session, their positions from 0,
    then for each session that ended: id, reason, ended at, created, user id }
]]
--@include "now"
if now > tonumber(ARGV[1]) then
  return { 'late', now }
end
local limits = ARGV[2]
local counters = KEYS[3]
local margin, max_tombstones = tonumber(ARGV[3]), tonumber(ARGV[4])
--@include "facts"
--@include "cutoff"
--@include "limits"
--@include "text"
--@include "expiry"
--@include "counters"
--@include "finish"
--@include "outbox"
local lost, dangling, ended = {}, {}, {}
-- While its slot moves, a key that was just emptied must not be touched again: who is in the set is
-- asked at the beginning.
local listed = {}
for i = 6, #ARGV, 2 do
  listed[i] = redis.call('ZSCORE', ARGV[i + 1] == '1' and KEYS[1] or KEYS[2], ARGV[i])
end
for i = 6, #ARGV, 2 do
  local id, is_user = ARGV[i], ARGV[i + 1] == '1'
  local at = 5 + (i - 6) / 2 * 3
  local u, s, f = KEYS[at], KEYS[at + 1], KEYS[at + 2]
  local zset = is_user and KEYS[1] or KEYS[2]
  local own = string.sub(id, 14)
  local facts = listed[i] and find_facts(u, own)
  if is_live(facts) then
    local e = read_facts(u, own, facts)
    local reason, ended_at, look_at = expiry_of(e)
    if reason then
      local user_id = is_user and user_id_of(u) or ''
      if keep_until(u, e.absolute_at + margin) then
        lost[#lost + 1] = (i - 6) / 2
      end
      redis.call('DEL', s, f)
      finish(u, zset, id, e, reason, ended_at, is_user)
      put_end(KEYS[4], id, reason, ended_at, e.created, user_id, now + tonumber(ARGV[5]))
      for _, value in ipairs({ id, reason, ended_at, e.created, user_id }) do
        ended[#ended + 1] = value
      end
    else
      redis.call('ZADD', zset, look_at, id)
    end
  elseif listed[i] then
    dangling[#dangling + 1] = (i - 6) / 2
    redis.call('DEL', s, f)
    -- What is listed counts as live as long as there is an index.
    if type(facts) == 'table' or redis.call('EXISTS', u) == 0 then
      redis.call('ZREM', zset, id)
    elseif is_tombstone(facts) then
      leave(u, zset, id, is_user)
    else
      drop(u, zset, id, { letter = 'M' }, is_user)
    end
  end
end
write_counters(counters)
if #ended > 0 then
  redis.call('PEXPIREAT', KEYS[4], now + outbox_ttl)
end
local reply = { 'swept', now }
for _, positions in ipairs({ lost, dangling }) do
  reply[#reply + 1] = #positions
  for _, position in ipairs(positions) do
    reply[#reply + 1] = position
  end
end
for _, value in ipairs(ended) do
  reply[#reply + 1] = value
end
return reply
