-- Makes leases of one user last from now. Returns how many.
local leases = KEYS[1]           -- zset: connectionId -> end of lease, unix ms, Redis clock
local ttlMs  = tonumber(ARGV[1]) -- ms; ARGV[2..]: connectionIds, strings

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 2, #ARGV do redis.call('ZADD', leases, now + ttlMs, ARGV[i]) end
if redis.call('PTTL', leases) < ttlMs then redis.call('PEXPIRE', leases, ttlMs) end
return #ARGV - 1
