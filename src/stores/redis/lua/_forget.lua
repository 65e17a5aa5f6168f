-- Removes what the index knows of a session beyond its facts.
local function forget_texts(u, own, letter)
  local name = own .. letter
  local is_long = redis.call('HSTRLEN', u, name) == 64
  redis.call('HDEL', u, name)
  for part = 2, is_long and 16 or 1 do
    redis.call('HDEL', u, name .. part)
  end
end

local function forget_details(u, own)
  redis.call('HDEL', u, own .. 'l')
  forget_texts(u, own, 'd')
  forget_texts(u, own, 'c')
end
