-- Tries every command that the scripts of this system use, on two keys of its own, and takes them away again.
-- Returns '' or the first refusal in Redis' words. A spec compares the list with the scripts.
local hash = KEYS[1] -- hash
local zset = KEYS[2] -- zset

local function try(...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then return reply.err .. ' [' .. ({ ... })[1] .. ']' end
end

return try('TIME') or try('INFO', 'server')
  or try('DEL', hash) or try('DEL', zset) or try('TYPE', hash)
  or try('HSET', hash, 'a', 1) or try('HSETNX', hash, 'a', 2) or try('HGET', hash, 'a') or try('HMGET', hash, 'a', 'b')
  or try('HGETALL', hash) or try('HLEN', hash) or try('HDEL', hash, 'b') or try('EXPIRE', hash, 60)
  or try('ZADD', zset, 1, 'a') or try('ZSCORE', zset, 'a') or try('ZCARD', zset) or try('ZCOUNT', zset, 1, 2)
  or try('ZRANGE', zset, 0, 0) or try('ZRANGEBYSCORE', zset, 1, 2) or try('ZREM', zset, 'b')
  or try('ZREMRANGEBYSCORE', zset, 2, 3) or try('PEXPIRE', zset, 60000) or try('PTTL', zset)
  or try('DEL', hash) or try('SET', hash, 'a', 'NX') or try('GET', hash) or try('DEL', hash) or try('DEL', zset) or ''
