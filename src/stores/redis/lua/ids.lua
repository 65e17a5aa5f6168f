#!lua flags=no-writes
--[[
One step through the ids of a bucket. An id that is there all the time is returned at least once.

KEYS[1] d or a: live sessions by deadline (zset)

ARGV[1] cursor, 0 for the first step
ARGV[2] about how many

Returns { cursor or "0" at the end, ids }
]]
local step = redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local reply = { step[1] }
for i = 1, #step[2], 2 do
  reply[#reply + 1] = step[2][i]
end
return reply
