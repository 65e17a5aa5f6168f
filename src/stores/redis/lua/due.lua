#!lua flags=no-writes
--[[
What the sweep has to do in one bucket.

KEYS[1] d: live sessions of users by deadline (zset)
KEYS[2] a: live anonymous sessions by deadline (zset)
KEYS[3] o: ends nobody has announced yet (hash)
KEYS[4] c: counters (hash)

ARGV[1] not after, ms
ARGV[2] most ids of each zset
ARGV[3] fingerprint of the limits

Returns { 'late', now }
  { 'due', now, number of ends to hand out, was the bucket ordered under other limits: 1 or 0,
    then for each session that is due: is it anonymous: 1 or 0, id, deadline }
]]
--@include "now"
if now > tonumber(ARGV[1]) then
  return { 'late', now }
end
local counters = KEYS[4]
--@include "cutoff"
local open_ends = 0
if redis.call('EXISTS', KEYS[3]) == 1 then
  for _, text in ipairs(redis.call('HVALS', KEYS[3])) do
    if now >= tonumber(string.match(text, '^%d+')) then
      open_ends = open_ends + 1
    end
  end
end
local stale = redis.call('EXISTS', KEYS[1], KEYS[2]) > 0
  and redis.call('HGET', counters, 'p') ~= ARGV[3] .. cut_until
local reply = { 'due', now, open_ends, stale and 1 or 0 }
for anonymous, zset in ipairs({ KEYS[1], KEYS[2] }) do
  local due =
    redis.call('ZRANGEBYSCORE', zset, '-inf', now, 'WITHSCORES', 'LIMIT', 0, ARGV[2])
  for i = 1, #due, 2 do
    reply[#reply + 1] = anonymous - 1
    reply[#reply + 1] = due[i]
    reply[#reply + 1] = due[i + 1]
  end
end
return reply
