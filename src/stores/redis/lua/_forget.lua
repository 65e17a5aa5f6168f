-- Removes what the index knows of a session beyond its facts.
local function forget_claims(u, own)
  local names = { own .. 'c' }
  for part = 2, 16 do
    names[part] = own .. 'c' .. part
  end
  redis.call('HDEL', u, unpack(names))
end

local function forget_details(u, own, letter)
  local device = own .. 'd'
  redis.call('HDEL', u, device, device .. 2, device .. 3, device .. 4)
  if letter ~= 'L' then
    redis.call('HDEL', u, own .. 'l')
    forget_claims(u, own)
  end
end
