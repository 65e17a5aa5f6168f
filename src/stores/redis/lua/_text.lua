-- A text as values of at most 64 bytes, so that its hash keeps the compact encoding: the first one
-- under `name`, the others under `name2` to `name4`, and claims to `name16`. A full part says that
-- another may follow.
local function add_text(pairs_of, name, text, max_parts)
  pairs_of[#pairs_of + 1] = name
  pairs_of[#pairs_of + 1] = string.sub(text, 1, 64)
  local part = 1
  while #text >= 64 and part < max_parts do
    part = part + 1
    text = string.sub(text, 65)
    pairs_of[#pairs_of + 1] = name .. part
    pairs_of[#pairs_of + 1] = part < max_parts and string.sub(text, 1, 64) or text
  end
end

local function whole_text(key, name, first, max_parts)
  if not first or #first < 64 then
    return first or ''
  end
  local names = {}
  for part = 2, max_parts do
    names[part - 1] = name .. part
  end
  local parts = redis.call('HMGET', key, unpack(names))
  for part = 1, #names do
    first = first .. (parts[part] or '')
  end
  return first
end

local function user_id_of(u)
  return whole_text(u, 'i', redis.call('HGET', u, 'i'), 4)
end
