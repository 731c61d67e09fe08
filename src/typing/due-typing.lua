-- Returns the ids of conversations of one shard in which typing has ended by itself.
local due   = KEYS[1]           -- zset: conversationId -> earliest end, unix ms, Redis clock
local limit = tonumber(ARGV[1]) -- conversations

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, limit)
