-- Ends that somebody still has to announce: field session id (with "+" behind it if the id is
-- there already), value "lease reason ended-at created user-id". The lease is 0 until it is handed
-- out, and afterwards the moment at which it is handed out again.
local outbox_ttl = 86400000

local function end_text(lease, reason, ended_at, created, user_id)
  return string.format('%.0f %s %.0f %.0f ', lease, reason, ended_at, created) .. user_id
end

local function put_end(o, id, reason, ended_at, created, user_id, lease)
  local text = end_text(lease, reason, ended_at, created, user_id)
  local field = id
  while redis.call('HSETNX', o, field, text) == 0 and #field < 30 do
    field = field .. '+'
  end
end
