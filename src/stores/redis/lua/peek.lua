#!lua flags=allow-oom
--[[
What is known of a session by its id alone. Records activity if so asked, and changes nothing else.

KEYS[1] u: index of the user (hash)
KEYS[2] s: the session (hash)
KEYS[3] d or a: live sessions by deadline (zset)
KEYS[4] c: counters (hash)

ARGV[1] session id
ARGV[2] limits, see _limits
ARGV[3] touch interval, ms; -1 if this is no activity
ARGV[4] margin, ms

Returns { 'gone', now } { 'ended', now, reason } { 'ended', now, reason, ended at } { 'active', now, record (11, see _record) }
]]
--@include "now"
local u = KEYS[1]
local own = string.sub(ARGV[1], 14)
local limits = ARGV[2]
local counters = KEYS[4]
--@include "facts"
--@include "cutoff"
--@include "limits"
--@include "text"
--@include "record"
--@include "expiry"
--@include "touch"
local facts = find_facts(u, own)
if not is_live(facts) then
  local reason, ended_at, till = read_tombstone(facts)
  if now < till then
    return { 'ended', now, reason, ended_at }
  end
  return { 'gone', now }
end
local e = read_facts(u, own, facts)
local reason = expiry_of(e)
if reason then
  return { 'ended', now, reason }
end
local interval = tonumber(ARGV[3])
if interval >= 0 and now - e.seen >= interval and now > e.seen then
  touch(u, KEYS[2], KEYS[3], ARGV[1], e, tonumber(ARGV[4]))
end
return add_stored_record({ 'active', now }, u, own, e)
