#!lua flags=allow-oom
--[[
Fields that resolve did not preload.

KEYS[1] u: index of the user (hash)
KEYS[2] s: the session (hash)
KEYS[3] f: its large fields (hash)
KEYS[4] d or a: live sessions by deadline (zset)
KEYS[5] c: counters (hash)

ARGV[1] session id
ARGV[2] limits, see _limits
ARGV[3] how many names follow, -1 for all fields
ARGV[4…] names

Returns { 'gone', now } { 'read', now, name, value, … }
]]
--@include "now"
local limits = ARGV[2]
local counters = KEYS[5]
--@include "facts"
--@include "cutoff"
--@include "limits"
--@include "live"
--@include "fields"
if not find_live(KEYS[1], KEYS[4], ARGV[1]) or redis.call('EXISTS', KEYS[2]) == 0 then
  return { 'gone', now }
end
local fields = {}
take_fields(fields, KEYS[2], KEYS[3], tonumber(ARGV[3]), 4)
local reply = { 'read', now }
for name, value in pairs(fields) do
  reply[#reply + 1] = name
  reply[#reply + 1] = value
end
return reply
