-- The state machine of rotation, as in src/core/rotation.ts: the same rows in the same order.
--
-- Fields of the session's hash: v verifier, t state ("c" confirmed or "u" not, followed by key id,
-- when it was rotated, forks, and when it was confirmed, if that was later), s salt, p and q
-- verifier and traits of the predecessor, b and a the sibling and its key id and deadline, x the
-- generation before which tokens are retired, and until when.
local TOKEN_STATE = '^(%l)(%d+) (%d+) (%d+) ?(%d*)$'

local function has_tokens(meta)
  return meta.v
    and meta.t
    and #meta.t < 64
    and string.find(meta.t, TOKEN_STATE)
    and #(meta.a or '12 bytes big') == 12
    and #(meta.x or '12 bytes big') == 12
end

local function read_tokens(meta, generation)
  local letter, key_id, rotated_at, forks, confirmed_at =
    string.match(meta.t, TOKEN_STATE)
  local state = {
    generation = generation,
    verifier = meta.v,
    confirmed_at = letter == 'c' and tonumber(confirmed_at ~= '' and confirmed_at or rotated_at),
    key_id = tonumber(key_id),
    rotated_at = tonumber(rotated_at),
    forks = tonumber(forks),
    salt = meta.s,
    previous = meta.p,
    traits = meta.q,
    sibling = meta.b,
  }
  if meta.a then
    state.sibling_key, state.sibling_until = struct.unpack('>I4d', meta.a)
  end
  if meta.x then
    state.retired_before, state.retired_until = struct.unpack('>I4d', meta.x)
  end
  return state
end

local function state_text(state)
  local at = state.confirmed_at
  local letter = at and 'c' or 'u'
  local text = string.format('%s%d %d %d', letter, state.key_id, state.rotated_at, state.forks)
  return at and at > state.rotated_at and string.format('%s %d', text, at) or text
end

local function write_tokens(s, state)
  redis.call('HSET', s, 'v', state.verifier, 't', state_text(state))
  local optional = {
    s = state.salt or false,
    p = state.previous or false,
    q = state.previous and state.traits or false,
    b = state.sibling or false,
    a = state.sibling and struct.pack('>I4d', state.sibling_key, state.sibling_until) or false,
    x = state.retired_before and struct.pack('>I4d', state.retired_before, state.retired_until)
      or false,
  }
  for field, value in pairs(optional) do
    if value then
      redis.call('HSET', s, field, value)
    else
      redis.call('HDEL', s, field)
    end
  end
end

-- The current token arrived; what only served its delivery is dropped once the grace is over.
local function confirm(state)
  local drop_salt = state.salt and now > state.rotated_at + grace
  local open_sibling = state.sibling and state.sibling_until < 0
  if state.confirmed_at and not drop_salt and not open_sibling then
    return false
  end
  state.confirmed_at = state.confirmed_at or now
  if drop_salt then
    state.salt = nil
  end
  if open_sibling then
    state.sibling_until = now + grace
  end
  return true
end

-- Of two successors the one that was presented first becomes the current token.
local function let_sibling_win(state)
  local verifier, key_id = state.verifier, state.key_id
  state.verifier, state.key_id = state.sibling, state.sibling_key
  state.sibling, state.sibling_key = verifier, key_id
  if state.sibling_until < 0 then
    state.sibling_until = now + grace
  end
  state.confirmed_at = state.confirmed_at or now
  state.salt = nil
end

-- Drops what cannot change a verdict any more, so that the session is a usual one again: without it
-- an old token is not told apart from any other of its generation, and that is `reused` as well.
local function tidy(state)
  local changed = false
  if state.sibling and state.sibling_until >= 0 and now > state.sibling_until then
    state.sibling, changed = nil, true
  end
  local grace_over = state.confirmed_at and now > state.confirmed_at + grace
  if state.previous and grace_over and not state.sibling then
    state.previous, changed = nil, true
  end
  if state.retired_before and now > state.retired_until then
    state.retired_before, changed = nil, true
  end
  return changed
end

-- Kind of the match, whether the state changed, and whether it looks like another client; the
-- successor is handed out when `hand_out` is true.
local function match_token(state, verifier, generation, traits)
  if verifier == state.verifier then
    return 'current', confirm(state)
  end
  if verifier == state.previous then
    local same_client = traits == state.traits
    local pending = not state.confirmed_at and same_client
    if now <= (state.confirmed_at or state.rotated_at) + grace then
      return 'predecessor', false, not same_client, pending and state.salt
    end
    if not pending then
      return 'reused', false
    end
    if now <= state.rotated_at + 2 * grace then
      return 'predecessor', false, false
    end
    return state.forks < max_forks and 'fork' or 'reused', false
  end
  if verifier == state.sibling then
    if traits == state.traits and (state.sibling_until < 0 or now <= state.sibling_until) then
      let_sibling_win(state)
      return 'current', true
    end
    return 'reused', false
  end
  if
    state.retired_before
    and generation < state.retired_before
    and now <= state.retired_until
  then
    return 'retired', false
  end
  return generation > state.generation and 'ahead' or 'reused', false
end
