-- The moment until which all sessions are over, whoever they belong to, and since when.
local cut_until, cut_at, cut_reason = -1, 0, ''
local cutoff = redis.call('GET', cutoff_key)
if cutoff then
  cut_until, cut_at, cut_reason = string.match(cutoff, '^(%d+) (%d+) (%l)$')
  cut_until, cut_at = tonumber(cut_until), tonumber(cut_at)
end
