-- Finds users of one shard to be looked at. Returns the shard's epoch ('' for none), then their
-- ids.
local epochKey = KEYS[1]           -- string
local due      = KEYS[2]           -- zset: userId -> when to look at him, unix ms, Redis clock
local limit    = tonumber(ARGV[1]) -- users

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ids = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, limit)
table.insert(ids, 1, redis.call('GET', epochKey) or '')
return ids
