#!lua flags=allow-oom
--[[
Sets the moment until which all sessions of a bucket are over. It only ever moves forward.

KEYS[1] c: counters (hash)

ARGV[1] until, ms
ARGV[2] since when, ms: the same for all buckets
ARGV[3] reason (letter)

Returns { 'revoked', until }
]]
local counters = KEYS[1]
--@include "cutoff"
local till = tonumber(ARGV[1])
if till <= cut_until then
  return { 'revoked', cut_until }
end
local all = { string.format('%.0f %.0f %s', till, ARGV[2], ARGV[3]) }
for i = 1, math.min(#cuts, 15) do
  all[i + 1] = string.format('%.0f %.0f %s', unpack(cuts[i]))
end
redis.call('HSET', counters, 'x', table.concat(all, ';'))
return { 'revoked', till }
