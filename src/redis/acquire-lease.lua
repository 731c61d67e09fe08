-- Takes or renews a connection's lease. Returns 1 if it is taken, 0 if the user has `max` others.
local leases       = KEYS[1]           -- zset: connectionId -> end of lease, unix ms, Redis clock
local connectionId = ARGV[1]           -- string
local max          = tonumber(ARGV[2]) -- number of leases
local ttlMs        = tonumber(ARGV[3]) -- ms

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', leases, '-inf', now)
local isHeld = redis.call('ZSCORE', leases, connectionId)
if not isHeld and redis.call('ZCARD', leases) >= max then return 0 end
redis.call('ZADD', leases, now + ttlMs, connectionId)
if redis.call('PTTL', leases) < ttlMs then redis.call('PEXPIRE', leases, ttlMs) end
return 1
