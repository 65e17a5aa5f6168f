-- Everything but the usual case of resolve.
local zset, counters = KEYS[3], KEYS[4]
local margin = tonumber(ARGV[9])
local grace, max_forks, on_reuse, max_tombstones =
  string.match(ARGV[10], '^(%d+) (%d+) (%l+) (%d+)$')
grace, max_forks, max_tombstones = tonumber(grace), tonumber(max_forks), tonumber(max_tombstones)
local is_user = user_id ~= ''
--@include "facts"
--@include "cutoff"
--@include "limits"
--@include "text"
--@include "counters"
--@include "finish"
--@include "tokens"
--@include "expiry"
--@include "touch"
--@include "record"
-- Damaged, or its hash was evicted or deleted by hand: nobody can come back to it, so it leaves the
-- index too.
local function lose(lost)
  redis.call('DEL', s)
  drop(u, zset, id, lost, is_user)
  write_counters(counters)
  return { 'gone', now }
end
if not is_live(facts) then
  return lose({ letter = 'M' })
end
local e = read_facts(u, own, facts)

local meta, fields = {}, {}
for i = 1, #hash, 2 do
  if string.byte(hash[i]) == 46 then
    fields[#fields + 1] = hash[i]
    fields[#fields + 1] = hash[i + 1]
  else
    meta[hash[i]] = hash[i + 1]
  end
end

local function finish_now(reason, ended_at)
  user_id = whole_text(u, 'i', user_id, 4)
  redis.call('DEL', s)
  finish(u, zset, id, e, reason, ended_at, is_user)
  write_counters(counters)
  return { 'ended', now, reason, meta.l and 1 or 0, user_id, e.created, ended_at }
end

local expiry, expired_at = expiry_of(e)
if expiry then
  return finish_now(expiry, expired_at)
end
if not has_tokens(meta) then
  return lose(e)
end

local state = read_tokens(meta, generation)
local kind, changed, other_client, hand_out =
  match_token(state, ARGV[2], tonumber(ARGV[3]), ARGV[4])
if kind == 'retired' or kind == 'ahead' then
  return { kind, now }
end
if kind == 'reused' and on_reuse == 'revoke' then
  return finish_now('u', now)
end
if kind == 'reused' and on_reuse == 'reject' then
  return { 'ended', now, 'u', 'rejected' }
end
if kind == 'current' then
  changed = tidy(state) or changed
end
if changed then
  write_tokens(s, state)
end

if due then
  touch(u, s, zset, id, e, margin)
end

local reply = { 'active', now, kind, other_client and 1 or 0, meta.l and 0 or 1, state_text(state) }
add_stored_record(reply, u, own, e)
reply[#reply + 1] = hand_out or ''
reply[#reply + 1] = state.verifier
for i = 1, #fields do
  reply[#reply + 1] = fields[i]
end
return reply
