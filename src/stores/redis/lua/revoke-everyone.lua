#!lua flags=allow-oom
--[[
Sets the moment until which all sessions of a bucket are over. It only ever moves forward.

KEYS[1] x: that moment (string): "until since reason"

ARGV[1] until, ms
ARGV[2] reason (letter)
ARGV[3] how long any session can live, ms: for so long it is remembered

Returns { 'revoked', now, until }
]]
--@include "now"
local till = tonumber(ARGV[1])
local cutoff_key = KEYS[1]
--@include "cutoff"
if till > cut_until then
  local text = string.format('%.0f %.0f %s', till, now, ARGV[2])
  redis.call('SET', KEYS[1], text, 'PX', ARGV[3])
  cut_until = till
end
return { 'revoked', now, cut_until }
