-- What a reply says of a live session: eleven values.
local function add_record(reply, user_id, e, device, claims)
  local at = #reply
  reply[at + 1] = user_id
  reply[at + 2] = e.created
  reply[at + 3] = e.authenticated
  reply[at + 4] = e.seen
  reply[at + 5] = e.idle_at
  reply[at + 6] = e.absolute_at
  reply[at + 7] = e.class
  reply[at + 8] = e.own_limits
  reply[at + 9] = device
  reply[at + 10] = claims
  reply[at + 11] = e.generation
  return reply
end

local function add_stored_record(reply, u, own, e)
  local device, claims = own .. 'd', own .. 'c'
  local texts = redis.call('HMGET', u, 'i', device, claims)
  return add_record(
    reply,
    whole_text(u, 'i', texts[1], 4),
    e,
    whole_text(u, device, texts[2], 4),
    whole_text(u, claims, texts[3], 16)
  )
end
