#!lua flags=no-writes
--[[
What time is it?

KEYS[1] any key: it only says which node to ask

Returns { 'pong', now }
]]
--@include "now"
return { 'pong', now }
