#!lua flags=no-writes
--[[
Which of these keys never expire?

KEYS[1…] keys of one bucket

Returns their positions, from 0
]]
local reply = {}
for i = 1, #KEYS do
  if redis.call('PTTL', KEYS[i]) == -1 then
    reply[#reply + 1] = i - 1
  end
end
return reply
