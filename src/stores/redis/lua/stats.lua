#!lua flags=no-writes
--[[
The counters of one bucket.

KEYS[1] d: live sessions of users by deadline (zset)
KEYS[2] a: live anonymous sessions by deadline (zset)
KEYS[3] c: counters (hash)

ARGV[1] the moment that counts, ms

Returns { sessions of users, anonymous sessions, then name and value of every counter }
]]
local after = '(' .. ARGV[1]
local reply = {
  redis.call('ZCOUNT', KEYS[1], after, '+inf'),
  redis.call('ZCOUNT', KEYS[2], after, '+inf'),
}
for _, value in ipairs(redis.call('HGETALL', KEYS[3])) do
  reply[#reply + 1] = value
end
return reply
