--@include "forget"

-- Ends a live session: its entry in the user's index becomes a tombstone, or nothing if none is to
-- be kept. From then on the session is dead, whatever is left of its other keys.
local function drop_tombstones(u)
  local all = redis.call('HGETALL', u)
  local kept = {}
  for i = 1, #all, 2 do
    -- Only entries have names of 11 characters.
    if #all[i] == 11 and not is_live(all[i + 1]) then
      local _, ended_at, till = struct.unpack('>c1dd', all[i + 1])
      if now < till then
        kept[#kept + 1] = { all[i], ended_at }
      else
        redis.call('HDEL', u, all[i])
      end
    end
  end
  table.sort(kept, function(a, b)
    return a[2] > b[2]
  end)
  for i = max_tombstones + 1, #kept do
    redis.call('HDEL', u, kept[i][1])
  end
  local left = math.min(#kept, max_tombstones)
  redis.call('HSET', u, 't', left)
  return left
end

local function finish(u, zset, id, e, reason, ended_at, is_user)
  local own = string.sub(id, 14)
  forget_details(u, own)
  local tombstones = 0
  if max_tombstones > 0 and now < e.absolute_at then
    redis.call('HSET', u, own, struct.pack('>c1dd', reason, ended_at, e.absolute_at))
    tombstones = redis.call('HINCRBY', u, 't', 1)
  else
    redis.call('HDEL', u, own)
    tombstones = tonumber(redis.call('HGET', u, 't') or 0)
  end
  local left = redis.call('HINCRBY', u, 'n', -1)
  redis.call('ZREM', zset, id)
  if is_user then
    count_user(left + 1, left)
    count_end(reason, e.created, ended_at)
  end
  if tombstones > max_tombstones then
    tombstones = drop_tombstones(u)
  end
  -- An epoch outlives the sessions; nothing else does.
  if left == 0 and tombstones == 0 and redis.call('HEXISTS', u, 'e') == 0 then
    redis.call('DEL', u)
  end
end
