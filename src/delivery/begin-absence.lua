-- Begins a device's absence with an empty queue that is not whole yet. Returns 1.
local absent   = KEYS[1]           -- hash: deviceId -> token
local queue    = KEYS[2]           -- hash: conversationId -> rev, and the fields token and whole
local deviceId = ARGV[1]           -- string
local token    = ARGV[2]           -- string
local ttl      = tonumber(ARGV[3]) -- seconds

if redis.call('TYPE', absent).ok ~= 'hash' then redis.call('DEL', absent) end
redis.call('HSET', absent, deviceId, token)
redis.call('EXPIRE', absent, ttl)
redis.call('DEL', queue)
redis.call('HSET', queue, 'token', token)
redis.call('EXPIRE', queue, ttl)
return 1
