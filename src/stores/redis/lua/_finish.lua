--@include "forget"

-- Forgets the tombstones that are past their deadline, and the oldest beyond the maximum.
local function drop_tombstones(u)
  local all = redis.call('HGETALL', u)
  local kept = {}
  for i = 1, #all, 2 do
    -- Only entries have names of 11 characters.
    if #all[i] == 11 and not is_live(all[i + 1]) then
      local _, ended_at, till = read_tombstone(all[i + 1])
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

-- Changes the number of live sessions. If that cannot be read they are counted: too small a number
-- would have the index deleted.
local function add_live(u, by)
  local live = add_to(u, 'n', by)
  if live then
    return live
  end
  local all = redis.call('HGETALL', u)
  live = 0
  for i = 1, #all, 2 do
    if #all[i] == 11 and is_live(all[i + 1]) then
      live = live + 1
    end
  end
  redis.call('HSET', u, 'n', live)
  return live
end

local function leave(u, zset, id, is_user)
  local left = add_live(u, -1)
  redis.call('ZREM', zset, id)
  if is_user then
    count_user(left + 1, left)
  end
  return left
end

-- Takes an entry out of the index whose session is lost: it did not end, so no end is counted.
local function drop(u, zset, id, e, is_user)
  local own = string.sub(id, 14)
  forget_details(u, own, e.letter)
  redis.call('HDEL', u, own)
  if redis.call('ZSCORE', zset, id) then
    leave(u, zset, id, is_user)
  end
end

-- Ends a live session: its entry in the user's index becomes a tombstone, or nothing if none is to
-- be kept. From then on the session is dead, whatever is left of its other keys.
local function finish(u, zset, id, e, reason, ended_at, is_user)
  local own = string.sub(id, 14)
  forget_details(u, own, e.letter)
  local tombstones
  if max_tombstones > 0 and now < e.absolute_at then
    redis.call('HSET', u, own, struct.pack('>c1dd', reason, ended_at, e.absolute_at))
    tombstones = add_to(u, 't', 1) or drop_tombstones(u)
  else
    redis.call('HDEL', u, own)
    tombstones = tonumber(redis.call('HGET', u, 't')) or 0
  end
  local left = leave(u, zset, id, is_user)
  if is_user then
    count_end(reason, e.created, ended_at)
  end
  if tombstones > max_tombstones then
    tombstones = drop_tombstones(u)
  end
  -- An epoch outlives the sessions; nothing else does.
  if left <= 0 and tombstones == 0 and redis.call('HEXISTS', u, 'e') == 0 then
    redis.call('DEL', u)
  end
end
