#!lua flags=no-writes
--[[
What is known of a session by its id alone. Changes nothing.

KEYS[1] u: index of the user (hash)
KEYS[2] x: moment until which all sessions are over (string)

ARGV[1] session id
ARGV[2] limits, see _limits

Returns { 'gone', now } { 'ended', now, reason } { 'active', now, record (11, see _record) }
]]
--@include "now"
local u = KEYS[1]
local own = string.sub(ARGV[1], 14)
local limits = ARGV[2]
local cutoff_key = KEYS[2]
--@include "facts"
--@include "cutoff"
--@include "limits"
--@include "text"
--@include "record"
local facts = redis.call('HGET', u, own)
if not facts then
  return { 'gone', now }
end
if not is_live(facts) then
  local reason, _, till = struct.unpack('>c1dd', facts)
  if now < till then
    return { 'ended', now, reason }
  end
  return { 'gone', now }
end
local e = read_facts(u, own, facts)
local reason = expiry_of(e)
if reason then
  return { 'ended', now, reason }
end
return add_stored_record({ 'active', now }, u, own, e)
