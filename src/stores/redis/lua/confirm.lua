#!lua flags=allow-oom
--[[
Forgets ends that were announced.

KEYS[1] o: ends nobody has announced yet (hash)

ARGV[1] not after, ms
ARGV[2…] session ids

Returns { 'late', now } { 'confirmed', now }
]]
--@include "now"
if now > tonumber(ARGV[1]) then
  return { 'late', now }
end
-- While its slot moves, a key that was just emptied must not be touched again: first read, then
-- remove.
local announced = {}
for i = 2, #ARGV do
  local field = ARGV[i]
  local text = redis.call('HGET', KEYS[1], field)
  while text do
    -- One that was not handed out yet is another end of the same id.
    if string.byte(text) ~= 48 then
      announced[field] = true
    end
    field = field .. '+'
    text = redis.call('HGET', KEYS[1], field)
  end
end
for field in pairs(announced) do
  redis.call('HDEL', KEYS[1], field)
end
return { 'confirmed', now }
