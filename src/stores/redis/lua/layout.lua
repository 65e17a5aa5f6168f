#!lua
--[[
Sets up the layout if there is none.

KEYS[1] the layout (hash)

ARGV[1] version of the storage format
ARGV[2] number of buckets
ARGV[3] a new placement key

Returns { version, buckets, placement key } as they stand
]]
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'buckets', ARGV[2], 'placement', ARGV[3])
end
return redis.call('HMGET', KEYS[1], 'version', 'buckets', 'placement')
