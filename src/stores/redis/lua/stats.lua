#!lua flags=no-writes
--[[
The counters of one bucket.

KEYS[1] d: live sessions of users by deadline (zset)
KEYS[2] a: live anonymous sessions by deadline (zset)
KEYS[3] c: counters (hash)

ARGV[1] the moment that counts, ms

Returns { sessions of users, anonymous sessions, name and value of every counter, each in a line }
]]
local after = '(' .. ARGV[1]
return {
  redis.call('ZCOUNT', KEYS[1], after, '+inf'),
  redis.call('ZCOUNT', KEYS[2], after, '+inf'),
  -- As one text: 256 replies of two hundred values each take the client ten milliseconds to read.
  table.concat(redis.call('HGETALL', KEYS[3]), '\n'),
}
