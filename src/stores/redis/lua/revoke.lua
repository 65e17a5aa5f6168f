#!lua flags=allow-oom
--[[
Ends one session.

KEYS[1] u: index of the user (hash)
KEYS[2] s: the session (hash)
KEYS[3] f: its large fields (hash)
KEYS[4] d or a: live sessions by deadline (zset)
KEYS[5] c: counters (hash)

ARGV[1] session id
ARGV[2] limits, see _limits
ARGV[3] reason (letter)
ARGV[4] most tombstones
ARGV[5] is there a user: 1 or 0
ARGV[6] how many fields to hand over, -1 for all
ARGV[7…] their names

Returns { 'gone', now }
  { 'revoked', now, id, reason, ended at, created, user id, then name and value of the fields }
]]
--@include "now"
local u, s, f, id = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local limits = ARGV[2]
local counters = KEYS[5]
local max_tombstones, is_user = tonumber(ARGV[4]), ARGV[5] == '1'
--@include "facts"
--@include "cutoff"
--@include "limits"
--@include "live"
--@include "text"
--@include "counters"
--@include "finish"
--@include "fields"
local e = find_live(u, KEYS[4], id)
if not e then
  return { 'gone', now }
end
local reply = { 'revoked', now, id, ARGV[3], now, e.created, is_user and user_id_of(u) or '' }
if not is_user then
  local fields = {}
  take_fields(fields, s, f, tonumber(ARGV[6]), 7)
  for name, value in pairs(fields) do
    reply[#reply + 1] = name
    reply[#reply + 1] = value
  end
end
redis.call('DEL', s, f)
finish(u, KEYS[4], id, e, ARGV[3], now, is_user)
write_counters(counters)
return reply
