-- A text as values of at most 64 bytes, so that its hash keeps the compact encoding: the first one
-- under `name`, the others under `name2` to `name16`. A full part says that another may follow.
local MAX_PARTS = 16

local function put_text(key, name, text)
  redis.call('HSET', key, name, string.sub(text, 1, 64))
  local part = 1
  while #text >= 64 and part < MAX_PARTS do
    part = part + 1
    text = string.sub(text, 65)
    redis.call('HSET', key, name .. part, part < MAX_PARTS and string.sub(text, 1, 64) or text)
  end
end

local function whole_text(key, name, first)
  if not first or #first < 64 then
    return first or ''
  end
  local names = {}
  for part = 2, MAX_PARTS do
    names[part - 1] = name .. part
  end
  local parts = redis.call('HMGET', key, unpack(names))
  for part = 1, #names do
    first = first .. (parts[part] or '')
  end
  return first
end
