#!lua flags=allow-oom
--[[
Gives a key the expiry that it has lost, or removes it if nothing refers to it any more.

KEYS[1] the key
KEYS[2] u: index of the user (hash), or the same key again

ARGV[1] what the key is: s, f, u, d, a or o
ARGV[2] limits, see _limits
ARGV[3] margin, ms
ARGV[4] session id, for s and f

Returns 1 if it was mended, 0 if there was nothing to do
]]
local key, u, kind = KEYS[1], KEYS[2], ARGV[1]
local limits, margin = ARGV[2], tonumber(ARGV[3])
if redis.call('PTTL', key) ~= -1 then
  return 0
end
--@include "now"
--@include "facts"
--@include "limits"
--@include "outbox"
local till
if kind == 's' or kind == 'f' then
  local own = string.sub(ARGV[4], 14)
  local facts = find_facts(u, own)
  if is_live(facts) then
    local e = read_facts(u, own, facts)
    local idle_at, absolute_at = deadlines_of(e)
    till = kind == 'f' and e.absolute_at or math.min(idle_at, absolute_at)
  end
elseif kind == 'u' then
  -- Of a key of the wrong type nothing is worth keeping.
  local all = read_key('HGETALL', u)
  for i = 1, #all, 2 do
    local until_then
    if all[i] == 'e' then
      until_then = now + 86400000
    elseif #all[i] == 11 and is_live(all[i + 1]) then
      until_then = read_facts(u, all[i], all[i + 1]).absolute_at
    elseif #all[i] == 11 then
      local _, _, kept = read_tombstone(all[i + 1])
      until_then = kept
    end
    till = until_then and math.max(till or 0, until_then) or till
  end
elseif kind == 'd' or kind == 'a' then
  local last = read_key('ZRANGE', key, -1, -1, 'WITHSCORES')
  till = tonumber(last[2])
else
  till = now + outbox_ttl
end
if till then
  redis.call('PEXPIREAT', key, math.max(till, now) + margin)
else
  redis.call('DEL', key)
end
return 1
