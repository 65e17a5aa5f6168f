#!lua
--[[
Changes fields in order, all or none, as src/core/field-changes.ts does it.

KEYS[1] u: index of the user (hash)
KEYS[2] s: the session (hash)
KEYS[3] f: its large fields (hash)
KEYS[4] d or a: live sessions by deadline (zset)
KEYS[5] c: counters (hash)

ARGV[1] session id
ARGV[2] limits, see _limits
ARGV[3] margin, ms
ARGV[4] not after, ms
ARGV[5] most bytes
ARGV[6] most fields
ARGV[7…] four for each change: set, delete, increment, append, replace or add (replace what is
  absent); name; value, amount or item; expected value

Returns { 'late', now } { 'gone', now } { 'too-large', now }
  { 'conflict', now, number of the change from 0, why, current value or 0 }
  { 'written', now, for each change the value its field has at the end, or 0 for none }
]]
--@include "now"
if now > tonumber(ARGV[4]) then
  return { 'late', now }
end
local s, f = KEYS[2], KEYS[3]
local limits = ARGV[2]
local counters = KEYS[5]
--@include "facts"
--@include "cutoff"
--@include "limits"
--@include "live"
--@include "expiry"
--@include "fields"
local e = find_live(KEYS[1], KEYS[4], ARGV[1])
local hash = e and read_key('HGETALL', s) or {}
if #hash == 0 then
  return { 'gone', now }
end

local place, before = {}, {}
local small_count, count, bytes = 0, 0, 0
local large_count, large_bytes = 0, 0
for i = 1, #hash, 2 do
  if string.byte(hash[i]) == 46 then
    local name, value = string.sub(hash[i], 2), hash[i + 1]
    place[name], before[name] = 's', value
    small_count = small_count + 1
    bytes = bytes + #name + #value
  elseif hash[i] == 'l' and #hash[i + 1] == 8 then
    large_count, large_bytes = struct.unpack('>I4I4', hash[i + 1])
  end
end
if large_count > 0 then
  for i = 8, #ARGV, 4 do
    local name = ARGV[i]
    if not place[name] then
      local value = read_key('HGET', f, name)
      if type(value) == 'string' then
        place[name], before[name] = 'f', value
      end
    end
  end
end
count, bytes = small_count + large_count, bytes + large_bytes

local MAX_SAFE = 9007199254740991
-- Only the one way to write a safe integer counts: no 1.0, 1e3, -0 or leading zero.
local function integer_of(text)
  if #text > 17 or not (text == '0' or string.find(text, '^%-?[1-9]%d*$')) then
    return nil
  end
  local value = tonumber(text)
  return math.abs(value) <= MAX_SAFE and value or nil
end

local after, names = {}, {}
local function apply(kind, name, value, expected)
  local current = after[name]
  if current == nil then
    current = before[name] or false
  end
  if kind == 'set' then
    return value
  elseif kind == 'delete' then
    return false
  elseif kind == 'replace' then
    return current == expected and value or nil, 'changed', current
  elseif kind == 'add' then
    return not current and value or nil, 'changed', current
  elseif kind == 'increment' then
    local number = integer_of(current or '0')
    if not number then
      return nil, 'not-an-integer', current
    end
    local sum = number + tonumber(value)
    if math.abs(sum) > MAX_SAFE or sum % 1 ~= 0 then
      return nil, 'out-of-range', current
    end
    return string.format('%.0f', sum)
  end
  local array = current or '[]'
  -- Arrays are the only texts of the field codec that begin with a bracket.
  if string.byte(array) ~= 91 or string.byte(array, -1) ~= 93 then
    return nil, 'not-an-array', current
  elseif array == '[]' then
    return '[' .. value .. ']'
  end
  return string.sub(array, 1, -2) .. ',' .. value .. ']'
end

for i = 7, #ARGV, 4 do
  local name = ARGV[i + 1]
  local value, why, current = apply(ARGV[i], name, ARGV[i + 2], ARGV[i + 3])
  if value == nil then
    return { 'conflict', now, (i - 7) / 4, why, current or 0 }
  end
  if after[name] == nil then
    names[#names + 1] = name
  end
  after[name] = value
end

local new_count, new_bytes = count, bytes
for _, name in ipairs(names) do
  local old, new = before[name], after[name]
  if old then
    new_count, new_bytes = new_count - 1, new_bytes - #name - #old
  end
  if new then
    new_count, new_bytes = new_count + 1, new_bytes + #name + #new
  end
end
-- What does not grow is never too large: after a limit was lowered a session can still shrink.
if
  new_count > math.max(tonumber(ARGV[6]), count) or new_bytes > math.max(tonumber(ARGV[5]), bytes)
then
  return { 'too-large', now }
end

local had_large = large_count > 0
-- While its slot moves, a key that was just emptied must not be touched again: removed last.
local leaving = {}
for _, name in ipairs(names) do
  local old, new = before[name], after[name]
  local from, to = place[name], nil
  if from == 's' then
    small_count = small_count - 1
  elseif from == 'f' then
    large_count, large_bytes = large_count - 1, large_bytes - #name - #old
  end
  if new then
    to = is_small(name, new, small_count) and 's' or 'f'
  end
  if from == 's' and to ~= 's' then
    redis.call('HDEL', s, '.' .. name)
  elseif from == 'f' and to ~= 'f' then
    leaving[#leaving + 1] = name
  end
  if to == 's' then
    small_count = small_count + 1
    redis.call('HSET', s, '.' .. name, new)
  elseif to == 'f' then
    large_count, large_bytes = large_count + 1, large_bytes + #name + #new
    local _, is_foreign = read_key('HSET', f, name, new)
    if is_foreign then
      redis.call('DEL', f)
      redis.call('HSET', f, name, new)
    end
  end
end
if large_count > 0 then
  redis.call('HSET', s, 'l', struct.pack('>I4I4', large_count, large_bytes))
  keep_until(f, e.absolute_at + tonumber(ARGV[3]))
elseif had_large then
  redis.call('HDEL', s, 'l')
end
for _, name in ipairs(leaving) do
  redis.call('HDEL', f, name)
end

local reply = { 'written', now }
for i = 8, #ARGV, 4 do
  reply[#reply + 1] = after[ARGV[i]] or 0
end
return reply
