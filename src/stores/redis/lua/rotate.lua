#!lua
--[[
Makes the next token the current one, compare-and-set.

KEYS[1] u: index of the user (hash)
KEYS[2] s: the session (hash)
KEYS[3] d or a: live sessions by deadline (zset)
KEYS[4] c: counters (hash)

ARGV[1] session id
ARGV[2] limits, see _limits
ARGV[3] not after, ms
ARGV[4] verifier of the presented token
ARGV[5] its generation
ARGV[6] traits of the client
ARGV[7] soft, fork, hard, or reissue: hard whatever token was presented
ARGV[8] verifier of the next token
ARGV[9] its generation
ARGV[10] its key id
ARGV[11] its salt, empty for none
ARGV[12] has the user just proved who they are: 1 or 0
ARGV[13] grace, ms
ARGV[14] most forks
ARGV[15] new claims, empty to leave them

Returns { 'late', now } { 'gone', now } { 'rotated', now, record (11, see _record) }
  { 'lost', now, salt or empty, generation, key id, verifier of the current token }
]]
--@include "now"
if now > tonumber(ARGV[3]) then
  return { 'late', now }
end
local u, s, id = KEYS[1], KEYS[2], ARGV[1]
local own = string.sub(id, 14)
local limits = ARGV[2]
local counters = KEYS[4]
local grace, max_forks = tonumber(ARGV[13]), tonumber(ARGV[14])
--@include "facts"
--@include "cutoff"
--@include "limits"
--@include "live"
--@include "tokens"
--@include "text"
--@include "forget"
--@include "record"
local e = find_live(u, KEYS[3], id)
local hash = e and read_key('HGETALL', s) or {}
local meta = {}
for i = 1, #hash, 2 do
  meta[hash[i]] = hash[i + 1]
end
if not has_tokens(meta) then
  return { 'gone', now }
end

local state = read_tokens(meta, e.generation)
local kind, generation = ARGV[7], tonumber(ARGV[9])
if ARGV[8] ~= state.verifier then
  local old_verifier, old_key_id = state.verifier, state.key_id
  local match, _, _, hand_out = match_token(state, ARGV[4], tonumber(ARGV[5]), ARGV[6])
  local wins = kind == 'reissue' or match == (kind == 'fork' and 'fork' or 'current')
  if generation ~= e.generation + 1 or not wins then
    if hand_out then
      return { 'lost', now, hand_out, state.generation, state.key_id, state.verifier }
    end
    return { 'lost', now, '', 0, 0, '' }
  end
  if kind == 'fork' then
    state.sibling, state.sibling_key, state.sibling_until = old_verifier, old_key_id, -1
    state.forks = state.forks + 1
  else
    state.previous, state.traits, state.sibling, state.forks = nil, nil, nil, 0
  end
  if kind == 'soft' then
    -- Of two successors the presented one has just won, so it is the predecessor now.
    state.previous, state.traits = ARGV[4], ARGV[6]
    if state.retired_before and now > state.retired_until then
      state.retired_before = nil
    end
  elseif kind ~= 'fork' then
    state.retired_before, state.retired_until = generation, now + grace
  end
  state.verifier, state.key_id = ARGV[8], tonumber(ARGV[10])
  state.rotated_at = now
  state.confirmed_at = (kind == 'hard' or kind == 'reissue') and now or nil
  if state.confirmed_at then
    state.salt = nil
  elseif ARGV[11] ~= '' then
    state.salt = ARGV[11]
  elseif kind == 'soft' then
    state.salt = nil
  end
  write_tokens(s, state)
  e.generation = generation
  if ARGV[12] == '1' and e.authenticated > 0 then
    e.authenticated = now
  end
  if ARGV[15] ~= '' and e.letter == 'L' then
    e.letter = 'M'
  end
  redis.call('HSET', u, own, pack_facts(e))
  if ARGV[15] ~= '' then
    forget_claims(u, own)
    local claims = {}
    add_text(claims, own .. 'c', ARGV[15], 16)
    redis.call('HSET', u, unpack(claims))
  end
end
return add_stored_record({ 'rotated', now }, u, own, e)
