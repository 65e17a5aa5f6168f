-- The current timeouts of a class and of the session itself: the smaller of the two.
-- `limits` is "|:idle:absolute|name:idle:absolute|…": the default class comes first, nameless.
local function limits_of(class, own_limits)
  local _, at = string.find(limits, '|' .. class .. ':', 1, true)
  -- A class that was removed from the options has the default limits.
  local idle, absolute = string.match(limits, '^(%d+):(%d+)', (at or 2) + 1)
  if not idle then
    idle, absolute = string.match(limits, '^(%d+):(%d+)', 3)
  end
  idle, absolute = tonumber(idle), tonumber(absolute)
  if own_limits ~= '' then
    local own_idle, own_absolute = string.match(own_limits, '^(%d*):(%d*)$')
    if not own_idle then
      own_idle, own_absolute = '0', '0'
    end
    idle = math.min(idle, tonumber(own_idle) or idle)
    absolute = math.min(absolute, tonumber(own_absolute) or absolute)
  end
  return idle, absolute
end

-- The deadlines that count now. A looser policy cannot move one that was already promised.
local function deadlines_of(e)
  local idle, absolute = limits_of(e.class, e.own_limits)
  return math.min(e.idle_at, e.seen + idle), math.min(e.absolute_at, e.created + absolute), idle
end

-- Why and when a session ended by itself: the letter of the timeout, or that of the cut-off for
-- all sessions; nil while it is alive. The third value is when it has to be looked at.
local function expiry_of(e)
  local idle_at, absolute_at = deadlines_of(e)
  local reason, at = 'i', idle_at
  if absolute_at <= idle_at then
    reason, at = 'a', absolute_at
  end
  if e.created <= cut_until then
    local cut_at, cut_reason = cut_of(e.created)
    if cut_at < at then
      reason, at = cut_reason, cut_at
    end
  end
  if now < at then
    return nil, nil, at
  end
  return reason, at, at
end
