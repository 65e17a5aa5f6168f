#!lua flags=allow-oom
--[[
The sessions of a user, and what is left of those that ended.

KEYS[1] u: index of the user (hash)
KEYS[2] d: live sessions by deadline (zset)
KEYS[3] c: counters (hash)

ARGV[1] the first 13 characters of the user's session ids
ARGV[2] limits, see _limits

Returns { 'listed', now, epoch, user id, number of live sessions,
  for each of them: id, created, authenticated, seen, idle deadline, absolute deadline, limit class,
  own limits, device, claims, generation; then for each that ended: id, reason, ended at }
]]
--@include "now"
local u, prefix = KEYS[1], ARGV[1]
local limits = ARGV[2]
local counters = KEYS[3]
--@include "facts"
--@include "cutoff"
--@include "limits"
--@include "live"
--@include "text"
--@include "record"
local all = read_key('HGETALL', u)
local index = {}
for i = 1, #all, 2 do
  index[all[i]] = all[i + 1]
end
local live, dead, live_count = {}, {}, 0
local function add_dead(id, reason, ended_at)
  dead[#dead + 1] = id
  dead[#dead + 1] = reason
  dead[#dead + 1] = ended_at
end
-- From the newest to the oldest, as far as the hash remembers the order.
for i = #all - 1, 1, -2 do
  local own, facts = all[i], all[i + 1]
  local id = prefix .. own
  if #own == 11 and is_live(facts) then
    local e = read_facts(u, own, facts, index[own .. 'l'])
    local absolute_at = e.absolute_at
    local reason, ended_at = expiry_of(e)
    if not reason then
      local device = whole_text(u, own .. 'd', index[own .. 'd'], 4)
      add_record(live, id, e, device, whole_text(u, own .. 'c', index[own .. 'c'], 16))
      live_count = live_count + 1
    else
      settle(u, KEYS[2], id, e)
      if now < absolute_at then
        add_dead(id, reason, ended_at)
      end
    end
  elseif #own == 11 then
    local reason, ended_at, till = read_tombstone(facts)
    if now < till then
      add_dead(id, reason, ended_at)
    elseif is_tombstone(facts) then
      redis.call('HDEL', u, own)
      add_to(u, 't', -1)
    end
  end
end
local reply = {
  'listed',
  now,
  tonumber(index.e or 0) or now,
  whole_text(u, 'i', index.i, 4),
  live_count,
}
local at = #reply
for i = 1, #live do
  reply[at + i] = live[i]
end
at = #reply
for i = 1, #dead do
  reply[at + i] = dead[i]
end
return reply
