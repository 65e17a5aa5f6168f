-- The facts of a live session, as one value of the user's index.
--
-- Layout: letter (L live, M live with limits of its own or claims), generation, then five instants as
-- doubles (created, authenticated or 0, seen, idle deadline, absolute deadline), then the limit
-- class, which is empty for the default one. Fixed sizes, so that a touch never grows the hash.
-- A small letter is a tombstone: the reason, when it ended, until when it is kept.
local function read_facts(u, own, facts, own_limits)
  local letter, generation, created, authenticated, seen, idle_at, absolute_at, rest =
    struct.unpack('>c1I2ddddd', facts)
  if letter == 'M' then
    own_limits = own_limits or redis.call('HGET', u, own .. 'l') or ''
  else
    own_limits = ''
  end
  return {
    letter = letter,
    generation = generation,
    created = created,
    authenticated = authenticated,
    seen = seen,
    idle_at = idle_at,
    absolute_at = absolute_at,
    class = string.sub(facts, rest),
    own_limits = own_limits,
  }
end

local function pack_facts(e)
  return struct.pack(
    '>c1I2ddddd',
    e.letter,
    e.generation,
    e.created,
    e.authenticated,
    e.seen,
    e.idle_at,
    e.absolute_at
  ) .. e.class
end

local function is_live(facts)
  -- No value at all is as dead as a tombstone.
  return facts and string.byte(facts) < 97
end
