-- A key that is not of its type reads as empty, and the second value says so. What else goes wrong,
-- such as a right that is missing, must never look like "no session".
local function read_key(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply, false
  end
  if not string.find(reply.err, 'WRONGTYPE', 1, true) then
    error(reply)
  end
  return {}, true
end

-- Changes a number; nil if what stands there is none.
local function add_to(key, field, by)
  local reply = redis.pcall('HINCRBY', key, field, by)
  if type(reply) == 'number' then
    return reply
  end
  if not string.find(reply.err, 'not an integer', 1, true) then
    error(reply)
  end
  return nil
end

-- The facts of a live session, as one value of the user's index.
--
-- Layout: letter (L live, M live with limits of its own or claims, N like M but not counted by the
-- concurrency limit), generation, then five instants as doubles (created, authenticated or 0, seen,
-- idle deadline, absolute deadline), then the limit class, which is empty for the default one. Fixed
-- sizes, so that a touch never grows the hash.
-- A small letter is a tombstone: the reason, when it ended, until when it is kept.
--
-- Whatever else is found there was damaged by somebody's hand: it is as dead as nothing at all.
local function instant(at)
  return at >= 0 and at <= 9007199254740991 and math.floor(at) or 0
end

local function read_facts(u, own, facts, own_limits)
  local letter, generation, created, authenticated, seen, idle_at, absolute_at, rest =
    struct.unpack('>c1I2ddddd', facts)
  if letter ~= 'L' then
    own_limits = own_limits or redis.call('HGET', u, own .. 'l') or ''
  else
    own_limits = ''
  end
  return {
    letter = letter,
    generation = generation,
    created = instant(created),
    authenticated = instant(authenticated),
    seen = instant(seen),
    idle_at = instant(idle_at),
    absolute_at = instant(absolute_at),
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
  return type(facts) == 'string' and #facts > 42 and string.find(facts, '^[LMN]') ~= nil
end

local function is_tombstone(facts)
  return type(facts) == 'string' and #facts == 17 and string.find(facts, '^%l') ~= nil
end

-- Reason, when it ended and until when it is kept; of what is no tombstone that was long ago.
local function read_tombstone(facts)
  if not is_tombstone(facts) then
    return 'r', 0, 0
  end
  local reason, ended_at, till = struct.unpack('>c1dd', facts)
  return reason, instant(ended_at), instant(till)
end

-- What the index says of a session; no text if there is nothing, or no index.
local function find_facts(u, own)
  return (read_key('HGET', u, own))
end
