-- Reads what users of one shard are seen as. Returns the shard's epoch ('' for none), the time
-- (unix ms, Redis clock), then a status each, '' for one without a record.
local epochKey = KEYS[1] -- string; KEYS[2..]: hash per user

local time = redis.call('TIME')
local reply = { redis.call('GET', epochKey) or '', time[1] * 1000 + math.floor(time[2] / 1000) }
for i = 2, #KEYS do table.insert(reply, redis.call('HGET', KEYS[i], '@told') or '') end
return reply
