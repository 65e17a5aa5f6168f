#!lua flags=no-writes
--[[
One step through the keys of the node that serves a bucket.

KEYS[1] c: counters of the bucket (hash), which is there once the bucket was used

ARGV[1] cursor, 0 for the first step
ARGV[2] pattern of our keys
ARGV[3] about how many

Returns { cursor or "0" at the end, names of keys }; none if the bucket was never used
]]
if redis.call('EXISTS', KEYS[1]) == 0 then
  return { '0' }
end
local step = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
local reply = { step[1] }
for _, key in ipairs(step[2]) do
  reply[#reply + 1] = key
end
return reply
