#!lua flags=allow-oom
--[[
Hands out ends again that somebody was given and never confirmed, or nobody was given yet.

KEYS[1] o: ends nobody has announced yet (hash)

ARGV[1] not after, ms
ARGV[2] most of them
ARGV[3] lease, ms

Returns { 'late', now } { 'swept', now, id, reason, ended at, created, user id, … }
]]
--@include "now"
if now > tonumber(ARGV[1]) then
  return { 'late', now }
end
--@include "outbox"
local reply = { 'swept', now }
local all = redis.call('HGETALL', KEYS[1])
local left = tonumber(ARGV[2])
for i = 1, #all, 2 do
  local lease, reason, ended_at, created, user_id =
    string.match(all[i + 1], '^(%d+) (%l) (%d+) (%d+) (.*)$')
  if left > 0 and now >= tonumber(lease) then
    left = left - 1
    ended_at, created = tonumber(ended_at), tonumber(created)
    local text = end_text(now + tonumber(ARGV[3]), reason, ended_at, created, user_id)
    redis.call('HSET', KEYS[1], all[i], text)
    for _, value in ipairs({ string.sub(all[i], 1, 24), reason, ended_at, created, user_id }) do
      reply[#reply + 1] = value
    end
  end
end
return reply
