-- The moments until which all sessions are over, whoever they belong to: "until since reason", the
-- latest first, separated by semicolons, in the field x of the counters. A session ended by the
-- first one that reaches it.
local cuts, cut_until = {}, -1
for till, since, reason in string.gmatch(redis.call('HGET', counters, 'x') or '', '(%d+) (%d+) (%l)') do
  cuts[#cuts + 1] = { tonumber(till), tonumber(since), reason }
  cut_until = cuts[1][1]
end

local function cut_of(created)
  for i = #cuts, 1, -1 do
    if created <= cuts[i][1] then
      return cuts[i][2], cuts[i][3]
    end
  end
end
