-- Fields of a session: small ones in its own hash under their name with a leading dot, large ones
-- in a second hash. `l` of the session's hash is number and bytes of the large ones.
--
-- The first hash is read by every request and must keep its compact encoding, which ends at 64
-- bytes and 128 entries.
local MAX_SMALL = 100

local function is_small(name, value, small_count)
  return #name < 64 and #value <= 64 and small_count < MAX_SMALL
end

local function hset_all(key, pairs_of)
  for from = 1, #pairs_of, 1000 do
    redis.call('HSET', key, unpack(pairs_of, from, math.min(from + 999, #pairs_of)))
  end
end

-- All or the named fields, added to `into`; the names begin at ARGV[first].
local function take_fields(into, s, f, takes, first)
  if takes < 0 then
    for _, key in ipairs({ s, f }) do
      local all = read_key('HGETALL', key)
      for i = 1, #all, 2 do
        if key == f then
          into[all[i]] = all[i + 1]
        elseif string.byte(all[i]) == 46 then
          into[string.sub(all[i], 2)] = all[i + 1]
        end
      end
    end
    return
  end
  for i = first, first + takes - 1 do
    local value = read_key('HGET', s, '.' .. ARGV[i]) or read_key('HGET', f, ARGV[i])
    if type(value) == 'string' then
      into[ARGV[i]] = value
    end
  end
end

-- Fields of a new session, behind what the first hash begins with.
local function store_fields(s, f, small, fields, expire_at)
  local large, small_count, large_count, large_bytes = {}, 0, 0, 0
  for name, value in pairs(fields) do
    if is_small(name, value, small_count) then
      small_count = small_count + 1
      small[#small + 1] = '.' .. name
      small[#small + 1] = value
    else
      large_count = large_count + 1
      large_bytes = large_bytes + #name + #value
      large[#large + 1] = name
      large[#large + 1] = value
    end
  end
  if large_count > 0 then
    small[#small + 1] = 'l'
    small[#small + 1] = struct.pack('>I4I4', large_count, large_bytes)
    hset_all(f, large)
    redis.call('PEXPIREAT', f, expire_at)
  end
  hset_all(s, small)
end
