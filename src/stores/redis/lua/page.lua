#!lua flags=no-writes
--[[
The live ones of the given sessions of one bucket.

KEYS[1] c: counters (hash)
KEYS[2…] u of each session

ARGV[1] limits, see _limits
ARGV[2] the moment that counts, ms
ARGV[3…] session ids

Returns for each live session its id, record (11, see _record)
]]
local limits, now = ARGV[1], tonumber(ARGV[2])
local counters = KEYS[1]
--@include "facts"
--@include "cutoff"
--@include "limits"
--@include "text"
--@include "record"
local reply = {}
for i = 3, #ARGV do
  local u = KEYS[i - 1]
  local own = string.sub(ARGV[i], 14)
  local facts = find_facts(u, own)
  if is_live(facts) then
    local e = read_facts(u, own, facts)
    if not expiry_of(e) then
      reply[#reply + 1] = ARGV[i]
      add_stored_record(reply, u, own, e)
    end
  end
end
return reply
