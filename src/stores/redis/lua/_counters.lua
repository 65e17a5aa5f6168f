-- Counters of one script run: collected first, so that many ends cost few commands.
local counted = {}
local minutes = {}
local bounds = { 60000, 300000, 900000, 1800000, 3600000, 14400000, 28800000, 86400000, 604800000, 2592000000 }

local function count(field, by)
  counted[field] = (counted[field] or 0) + by
end

-- kind: 1 created, 2 ended, 3 failed logins
local function count_in_minute(kind, at)
  local minute = math.floor(at / 60000)
  local all = minutes[minute] or { 0, 0, 0 }
  all[kind] = all[kind] + 1
  minutes[minute] = all
end

-- A user had `before` live sessions and now has `after`.
local function count_user(before, after)
  if before > 0 then
    count('h' .. before, -1)
  end
  if after > 0 then
    count('h' .. after, 1)
  end
end

local function count_end(reason, created, ended_at)
  local duration = ended_at - created
  local class = 1
  while bounds[class] and duration > bounds[class] do
    class = class + 1
  end
  count('e' .. reason, 1)
  count('D' .. class, 1)
  count('D', duration)
  count_in_minute(2, ended_at)
end

local function write_counters(c)
  for field, by in pairs(counted) do
    if by ~= 0 and redis.call('HINCRBY', c, field, by) == 0 then
      redis.call('HDEL', c, field)
    end
  end
  for minute, all in pairs(minutes) do
    -- A ring of 64: each minute takes the place of the one 64 minutes before.
    local slot = 'm' .. minute % 64
    local stands = redis.call('HGET', c, slot)
    local at, created, ended, failed = string.match(stands or '', '^(%d+) (%d+) (%d+) (%d+)$')
    at = tonumber(at) or -1
    if at < minute then
      created, ended, failed = 0, 0, 0
    end
    -- An end that is discovered too late no longer has a minute to go to.
    if at <= minute then
      local text = string.format(
        '%.0f %.0f %.0f %.0f',
        minute,
        created + all[1],
        ended + all[2],
        failed + all[3]
      )
      redis.call('HSET', c, slot, text)
    end
  end
end
