#!lua flags=allow-oom
--[[
Token to verdict: checks the timeouts, matches the token, records activity if that is due.

KEYS[1] u: index of the user (hash)
KEYS[2] s: the session (hash)
KEYS[3] d or a: live sessions by deadline (zset)
KEYS[4] c: counters (hash)
KEYS[5] x: moment until which all sessions are over (string)

ARGV[1] session id
ARGV[2] verifier of the presented token
ARGV[3] its generation
ARGV[4] traits of the client
ARGV[5] touch: 1 or 0
ARGV[6] limits, see _limits
ARGV[7] touch interval, ms
ARGV[8] margin, ms
ARGV[9] grace, ms
ARGV[10] most forks
ARGV[11] on reuse: revoke, reject or report
ARGV[12] most tombstones
ARGV[13] is there a user: 1 or 0

Returns { 'gone', now }
  { 'ended', now, reason } for one that had ended before
  { 'ended', now, reason, large, user id, created, ended at } if this call ended it
  { 'ended', now, 'u', 'rejected' }
  { 'retired', now } { 'ahead', now }
  { 'active', now, match, suspicious, rotated at, complete, record (11, see _record),
    salt or empty, key id, verifier of the current token, then the preloaded fields: name with a leading dot, value }
]]
--@include "now"
local u, s, zset = KEYS[1], KEYS[2], KEYS[3]
local id, verifier = ARGV[1], ARGV[2]
local limits = ARGV[6]
local cutoff_key = KEYS[5]
local own = string.sub(id, 14)

local index = redis.call('HMGET', u, own, 'i', own .. 'd', own .. 'c')
local facts = index[1]
if not facts then
  return { 'gone', now }
end
--@include "facts"
if not is_live(facts) then
  local reason, _, till = struct.unpack('>c1dd', facts)
  if now < till then
    return { 'ended', now, reason }
  end
  return { 'gone', now }
end
local e = read_facts(u, own, facts)

--@include "cutoff"
--@include "limits"
local hash = redis.call('HGETALL', s)
local meta = {}
for i = 1, #hash, 2 do
  meta[hash[i]] = hash[i + 1]
end

--@include "text"
local function finish_now(reason, ended_at)
  local max_tombstones = tonumber(ARGV[12])
  local is_user = ARGV[13] == '1'
  --@include "counters"
  --@include "finish"
  local user_id = whole_text(u, 'i', index[2])
  redis.call('DEL', s)
  finish(u, zset, id, e, reason, ended_at, is_user)
  write_counters(KEYS[4])
  return { 'ended', now, reason, meta.l and 1 or 0, user_id, e.created, ended_at }
end

local expiry, expired_at = expiry_of(e)
if expiry then
  return finish_now(expiry, expired_at)
end
-- Its hash was evicted or deleted by hand.
if not meta.v or not meta.t then
  return { 'gone', now }
end

local letter, key_id, rotated_at = struct.unpack('>c1I4d', meta.t)
local match, suspicious, salt = 'current', 0, ''
if verifier ~= meta.v or letter ~= 'c' or meta.s or meta.b then
  local grace = tonumber(ARGV[9])
  local max_forks = tonumber(ARGV[10])
  --@include "tokens"
  local state = read_tokens(meta, e.generation)
  local kind, changed, other_client, hand_out =
    match_token(state, verifier, tonumber(ARGV[3]), ARGV[4])
  if kind == 'retired' or kind == 'ahead' then
    return { kind, now }
  end
  if kind == 'reused' and ARGV[11] == 'revoke' then
    return finish_now('u', now)
  end
  if kind == 'reused' and ARGV[11] == 'reject' then
    return { 'ended', now, 'u', 'rejected' }
  end
  if changed then
    write_tokens(s, state)
  end
  match = kind
  suspicious = other_client and 1 or 0
  salt = hand_out or ''
  key_id = state.key_id
  rotated_at = state.rotated_at
end

if ARGV[5] == '1' and now > e.seen and now - e.seen >= tonumber(ARGV[7]) then
  local margin = tonumber(ARGV[8])
  --@include "expiry"
  local _, absolute_at, idle = deadlines_of(e)
  e.seen = now
  e.idle_at = math.min(now + idle, absolute_at)
  local deadline = e.idle_at
  redis.call('HSET', u, own, pack_facts(e))
  redis.call('ZADD', zset, deadline, id)
  redis.call('PEXPIREAT', s, deadline + margin)
  keep_until(zset, deadline + margin)
end

--@include "record"
local reply = { 'active', now, match, suspicious, rotated_at, meta.l and 0 or 1 }
add_record(
  reply,
  whole_text(u, 'i', index[2]),
  e,
  whole_text(u, own .. 'd', index[3]),
  whole_text(u, own .. 'c', index[4])
)
reply[18] = salt
reply[19] = key_id
reply[20] = meta.v
local at = 20
for i = 1, #hash, 2 do
  if string.byte(hash[i]) == 46 then
    reply[at + 1] = hash[i]
    reply[at + 2] = hash[i + 1]
    at = at + 2
  end
end
return reply
