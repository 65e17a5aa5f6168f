#!lua
--[[
Inserts a session. Enforces the concurrency limit and the user's epoch, ends the replaced session
and takes over its fields, in the same step.

KEYS[1] u: index of the user (hash)
KEYS[2] s: the session (hash)
KEYS[3] f: its large fields (hash)
KEYS[4] d or a: live sessions by deadline (zset)
KEYS[5] c: counters (hash)
KEYS[6] o: ends nobody has announced yet (hash)
KEYS[7…10] u, s, f and d or a of the replaced session, if there is one

ARGV[1] not after, ms
ARGV[2] session id
ARGV[3] user id, empty for an anonymous session
ARGV[4] verifier
ARGV[5] generation
ARGV[6] key id
ARGV[7] limit class
ARGV[8] own limits, "idle:absolute" or empty
ARGV[9] device
ARGV[10] limits, see _limits
ARGV[11] margin, ms
ARGV[12] most tombstones
ARGV[13] most bytes
ARGV[14] most fields
ARGV[15] concurrency: most sessions, 0 for no limit, -1 if no limit ever counts this session
ARGV[16] at the limit: evict-oldest, evict-least-recent or reject
ARGV[17] epoch, empty for none
ARGV[18] when the credentials were verified, ms, empty for unknown
ARGV[19] id of a session of the user that makes room, empty for none
ARGV[20] id of the replaced session, empty for none
ARGV[21] does it have a user: 1 or 0
ARGV[22] claims, empty for none
ARGV[23] how many fields to take from the replaced session, -1 for all
ARGV[24…] their names, then name and value of every field

Returns { 'late', now } { 'taken', now } { 'superseded', now } { 'too-large', now } { 'limit', now }
  { 'created', now, record (11, see _record), then for each session that ended:
    id, reason, ended at, created, user id }
]]
--@include "now"
if now > tonumber(ARGV[1]) then
  return { 'late', now }
end
local u, s, f, zset, counters = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, user_id = ARGV[2], ARGV[3]
local own = string.sub(id, 14)
local prefix = string.sub(id, 1, 13)
local is_user = user_id ~= ''
local limits = ARGV[10]
local margin, max_tombstones = tonumber(ARGV[11]), tonumber(ARGV[12])
--@include "facts"
--@include "cutoff"
--@include "limits"
--@include "text"
--@include "expiry"
--@include "counters"
--@include "finish"
--@include "outbox"
--@include "record"
--@include "live"
--@include "fields"

-- Is the id taken? The same token means that this very command is repeated.
local stands, is_foreign = read_key('HMGET', u, own, 'e')
if is_foreign then
  -- Not ours: without an index the user could not log in any more.
  redis.call('DEL', u)
end
local known = stands[1]
-- One that cannot be read may be newer than any ticket.
local epoch = tonumber(stands[2] or 0) or now
if is_live(known) then
  local e = read_facts(u, own, known)
  local reason, ended_at = expiry_of(e)
  if not reason and redis.call('HGET', s, 'v') == ARGV[4] then
    return add_stored_record({ 'created', now }, u, own, e)
  end
  if not reason or now < e.absolute_at then
    return { 'taken', now }
  end
  put_end(KEYS[6], id, reason, ended_at, e.created, user_id_of(u), 0)
  redis.call('PEXPIREAT', KEYS[6], now + outbox_ttl)
  finish(u, zset, id, e, reason, ended_at, is_user)
  write_counters(counters)
  counted, minutes = {}, {}
elseif known then
  local _, _, till = read_tombstone(known)
  if now < till then
    return { 'taken', now }
  end
  add_to(u, 't', -1)
end

if ARGV[17] ~= '' and tonumber(ARGV[17]) < epoch then
  return { 'superseded', now }
end
if ARGV[18] ~= '' and tonumber(ARGV[18]) <= cut_until then
  return { 'superseded', now }
end

-- The fields: those taken over come first, the new ones override them.
local replaced_id, replaced = ARGV[20], nil
local takes, next_arg = tonumber(ARGV[23]), 24
local fields = {}
if replaced_id ~= '' then
  replaced = find_live(KEYS[7], KEYS[10], replaced_id)
end
if replaced and ARGV[21] == '0' and takes ~= 0 then
  take_fields(fields, KEYS[8], KEYS[9], takes, next_arg)
end
for i = next_arg + math.max(takes, 0), #ARGV, 2 do
  fields[ARGV[i]] = ARGV[i + 1]
end
local field_count, bytes = 0, 0
for name, value in pairs(fields) do
  field_count = field_count + 1
  bytes = bytes + #name + #value
end
if field_count > tonumber(ARGV[14]) or bytes > tonumber(ARGV[13]) then
  return { 'too-large', now }
end

-- Who has to go so that one more session fits?
local max = tonumber(ARGV[15])
local leaving = {}
if is_user and (max > 0 or ARGV[19] ~= '') then
  local all = redis.call('HGETALL', u)
  local limits_by_own, rivals = {}, {}
  for i = 1, #all, 2 do
    if #all[i] == 12 then
      limits_by_own[all[i]] = all[i + 1]
    end
  end
  for i = 1, #all, 2 do
    local other = all[i]
    if #other == 11 and is_live(all[i + 1]) and prefix .. other ~= replaced_id then
      local e = read_facts(u, other, all[i + 1], limits_by_own[other .. 'l'])
      e.id = prefix .. other
      if settle(u, zset, e.id, e) then
        if e.id == ARGV[19] then
          leaving[#leaving + 1] = e
        elseif e.letter ~= 'N' then
          rivals[#rivals + 1] = e
        end
      end
    end
  end
  local surplus = max > 0 and #rivals + 1 - max or 0
  if surplus > 0 and ARGV[16] == 'reject' then
    return { 'limit', now }
  end
  local age = ARGV[16] == 'evict-oldest' and 'created' or 'seen'
  table.sort(rivals, function(a, b)
    if a[age] ~= b[age] then
      return a[age] < b[age]
    end
    return a.id < b.id
  end)
  for i = 1, surplus do
    leaving[#leaving + 1] = rivals[i]
  end
end

local ended = {}
local function end_session(index, set, ended_id, e, reason, whose)
  finish(index, set, ended_id, e, reason, now, whose ~= '')
  for _, value in ipairs({ ended_id, reason, now, e.created, whose }) do
    ended[#ended + 1] = value
  end
end
if replaced then
  local whose = ARGV[21] == '1' and user_id_of(KEYS[7]) or ''
  redis.call('DEL', KEYS[8], KEYS[9])
  end_session(KEYS[7], KEYS[10], replaced_id, replaced, 'p', whose)
end
for _, e in ipairs(leaving) do
  end_session(u, zset, e.id, e, 'e', user_id)
end

local idle, absolute = limits_of(ARGV[7], ARGV[8])
local letter = (ARGV[8] == '' and ARGV[22] == '') and 'L' or 'M'
local e = {
  letter = max < 0 and 'N' or letter,
  generation = tonumber(ARGV[5]),
  created = now,
  authenticated = is_user and now or 0,
  seen = now,
  idle_at = math.min(now + idle, now + absolute),
  absolute_at = now + absolute,
  class = ARGV[7],
  own_limits = ARGV[8],
}
-- What an evicted index left behind must not become part of the new session.
redis.call('DEL', s, f)
local tokens = { 'v', ARGV[4], 't', string.format('c%d %d 0', ARGV[6], now) }
store_fields(s, f, tokens, fields, e.absolute_at + margin)
redis.call('PEXPIREAT', s, e.idle_at + margin)

local entry = { own, pack_facts(e) }
if is_user then
  add_text(entry, 'i', user_id, 4)
end
if ARGV[9] ~= '' then
  add_text(entry, own .. 'd', ARGV[9], 4)
end
if ARGV[8] ~= '' then
  entry[#entry + 1] = own .. 'l'
  entry[#entry + 1] = ARGV[8]
end
if ARGV[22] ~= '' then
  add_text(entry, own .. 'c', ARGV[22], 16)
end
redis.call('HSET', u, unpack(entry))
local live = add_live(u, 1)
keep_until(u, e.absolute_at + margin)
-- Looked at by every request: as the first field it is found at once.
redis.call('HSETNX', counters, 'x', '')
redis.call('ZADD', zset, e.idle_at, id)
keep_until(zset, e.idle_at + margin)
if is_user then
  count('+', 1)
  count_in_minute(1, now)
  count_user(live - 1, live)
end
write_counters(counters)

local reply = add_record({ 'created', now }, user_id, e, ARGV[9], ARGV[22])
for _, value in ipairs(ended) do
  reply[#reply + 1] = value
end
return reply
