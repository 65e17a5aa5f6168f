#!lua
--[[
Counts one failed login.

KEYS[1] c: counters of any bucket (hash)

Returns { 'counted', now }
]]
--@include "now"
--@include "counters"
count('-', 1)
count_in_minute(3, now)
write_counters(KEYS[1])
return { 'counted', now }
