-- The live session of an operation that does not end what it finds expired: that is left to the
-- sweep. A deadline that only a tightened policy has set is written down, so that a policy which
-- is loosened again cannot bring the session back.
local function settle(u, zset, id, e)
  if not expiry_of(e) then
    return true
  end
  if now < e.idle_at and now < e.absolute_at then
    local idle_at, absolute_at = deadlines_of(e)
    e.idle_at, e.absolute_at = idle_at, absolute_at
    redis.call('HSET', u, string.sub(id, 14), pack_facts(e))
    redis.call('ZADD', zset, math.min(idle_at, absolute_at), id)
  end
  return false
end

local function find_live(u, zset, id)
  local own = string.sub(id, 14)
  local facts = find_facts(u, own)
  if not is_live(facts) then
    return nil
  end
  local e = read_facts(u, own, facts)
  if settle(u, zset, id, e) then
    return e
  end
  return nil
end
