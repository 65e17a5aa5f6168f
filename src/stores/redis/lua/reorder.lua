#!lua flags=allow-oom
--[[
Moves sessions forward in the order of deadlines, after the limits were tightened or all sessions
were revoked.

KEYS[1] d or a: live sessions by deadline (zset)
KEYS[2] c: counters (hash)
KEYS[3…] u of each session

ARGV[1] not after, ms
ARGV[2] limits, see _limits
ARGV[3] fingerprint of the limits if the bucket is done, otherwise empty
ARGV[4…] session ids

Returns { 'late', now } { 'reordered', now }
]]
--@include "now"
if now > tonumber(ARGV[1]) then
  return { 'late', now }
end
local limits = ARGV[2]
local counters = KEYS[2]
--@include "facts"
--@include "cutoff"
--@include "limits"
for i = 4, #ARGV do
  local u = KEYS[i - 1]
  local own = string.sub(ARGV[i], 14)
  local facts = find_facts(u, own)
  if is_live(facts) then
    local _, _, at = expiry_of(read_facts(u, own, facts))
    redis.call('ZADD', KEYS[1], 'XX', 'LT', at, ARGV[i])
  end
end
if ARGV[3] ~= '' then
  redis.call('HSET', counters, 'p', ARGV[3] .. cut_until)
end
return { 'reordered', now }
