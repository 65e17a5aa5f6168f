-- Records activity. Never moves the absolute deadline, never grows a key.
local function touch(u, s, zset, id, e, margin)
  local _, absolute_at, idle = deadlines_of(e)
  e.seen = now
  e.idle_at = math.min(now + idle, absolute_at)
  redis.call('HSET', u, string.sub(id, 14), pack_facts(e))
  redis.call('ZADD', zset, e.idle_at, id)
  redis.call('PEXPIREAT', s, e.idle_at + margin)
  keep_until(zset, e.idle_at + margin)
end
