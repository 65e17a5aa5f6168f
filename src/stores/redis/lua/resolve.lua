#!lua flags=allow-oom
--[[
Token to verdict: checks the timeouts, matches the token, records activity if that is due.

It is on the way of every request, so the usual case comes first and does nothing else: a live
session with the timeouts of a class, short claims and its current token. Everything out of the
ordinary is left to the block in the middle.

KEYS[1] u: index of the user (hash)
KEYS[2] s: the session (hash)
KEYS[3] d or a: live sessions by deadline (zset)
KEYS[4] c: counters (hash)

ARGV[1] session id
ARGV[2] verifier of the presented token
ARGV[3] its generation
ARGV[4] traits of the client
ARGV[5] touch interval, ms; -1 if this is no activity
ARGV[6] limits, see _limits
ARGV[7] idle timeout of the default class, ms
ARGV[8] absolute timeout of the default class, ms
ARGV[9] margin, ms
ARGV[10] what is rarely needed: grace, ms; most forks; on reuse: revoke, reject or report; most
  tombstones

Returns { 'gone', now }
  { 'ended', now, reason } for one that had ended before
  { 'ended', now, reason, large, user id, created, ended at } if this call ended it
  { 'ended', now, 'u', 'rejected' }
  { 'retired', now } { 'ahead', now }
  { 'active', now, match, suspicious, complete, token state, record (11, see _record),
    salt or empty, verifier of the current token, then the preloaded fields: name with a leading
    dot, value }
  one text in the usual case, its parts separated by NUL: generation, now, created, authenticated,
    seen, idle deadline, absolute deadline, limit class, token state, user id, device, claims, then
    the preloaded fields: a client reads it in half the time
]]
--@include "now"
local u, s, id = KEYS[1], KEYS[2], ARGV[1]
local own = string.sub(id, 14)
-- A key of the wrong type reads as empty; any other error is one, and never "no session".
local index = redis.pcall('HMGET', u, own, 'i', own .. 'd', own .. 'c', own .. 'l')
if index.err and not string.find(index.err, 'WRONGTYPE', 1, true) then
  return index
end
local facts, user_id, device = index[1], index[2] or '', index[3] or ''
local claims, own_limits = index[4] or '', index[5]
if not facts then
  return { 'gone', now }
end
if #facts == 17 and string.byte(facts) > 96 then
  local reason, _, till = struct.unpack('>c1dd', facts)
  if now < till then
    return { 'ended', now, reason }
  end
  return { 'gone', now }
end
-- Too short for facts: they have been damaged. This says why the end is near.
if #facts < 43 then
  facts = string.rep('\0', 43)
end
local letter, generation, created, authenticated, seen, idle_at, absolute_at, rest =
  struct.unpack('>c1I2ddddd', facts)
local class = string.sub(facts, rest)

local limits = ARGV[6]
local idle, absolute = ARGV[7], ARGV[8]
if class ~= '' then
  local _, at = string.find(limits, '|' .. class .. ':', 1, true)
  if at then
    local of_class, absolute_of_class = string.match(limits, '^(%d+):(%d+)', at + 1)
    idle, absolute = of_class or idle, absolute_of_class or absolute
  end
end

-- Usually there are the verifier, the state of the token and small fields, in this order.
local hash = redis.pcall('HGETALL', s)
if hash.err and not string.find(hash.err, 'WRONGTYPE', 1, true) then
  return hash
end
local is_plain = hash[1] == 'v' and hash[3] == 't' and string.byte(hash[4]) == 99
for i = 5, #hash, 2 do
  if string.byte(hash[i]) ~= 46 then
    is_plain = false
  end
end

local interval = tonumber(ARGV[5])
local cutoff = redis.call('HGET', KEYS[4], 'x')
local due = interval >= 0 and now - seen >= interval and now > seen
if
  (letter ~= 'L' and letter ~= 'M')
  or own_limits
  or not is_plain
  or hash[2] ~= ARGV[2]
  or not (now < idle_at and now < absolute_at)
  or not (now < seen + idle and now < created + absolute)
  or #user_id >= 64
  or #device >= 64
  or #claims >= 64
  or string.find(claims, '\0', 1, true)
  or (cutoff and cutoff ~= '' and created <= tonumber(string.match(cutoff, '^%d+')))
then
  --@include "resolve-rare"
end

if due then
  seen = now
  idle_at = math.min(now + idle, absolute_at, created + absolute)
  local packed = struct.pack(
    '>c1I2ddddd',
    letter,
    generation,
    created,
    authenticated,
    seen,
    idle_at,
    absolute_at
  )
  redis.call('HSET', u, own, packed .. class)
  redis.call('ZADD', KEYS[3], idle_at, id)
  redis.call('PEXPIREAT', s, idle_at + ARGV[9])
  local stands = redis.call('PEXPIRETIME', KEYS[3])
  if stands < idle_at + ARGV[9] then
    redis.call('PEXPIREAT', KEYS[3], idle_at + ARGV[9])
  end
end

local numbers = string.format(
  '%d\0%d\0%d\0%d\0%d\0%d\0%d\0',
  generation,
  now,
  created,
  authenticated,
  seen,
  idle_at,
  absolute_at
)
local usual = numbers .. class .. '\0' .. hash[4] .. '\0' .. user_id .. '\0' .. device
usual = usual .. '\0' .. claims
if #hash == 4 then
  return usual
end
return usual .. '\0' .. table.concat(hash, '\0', 5)
