-- Takes out of a conversation what has ended by itself. Returns the number of users whose typing
-- ended by that, the time (unix us), their ids, then the ids of those who still type, with repeats.
local typing = KEYS[1]         -- zset: "connectionId userId" -> end, unix ms, Redis clock
local due    = KEYS[2]         -- zset: conversationId -> earliest end, unix ms
local conversationId = ARGV[1] -- string

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ended, still, reply = {}, {}, { 0, time[1] * 1000000 + time[2] }
local members = redis.call('ZRANGE', typing, 0, -1, 'WITHSCORES')
for i = 1, #members, 2 do
  local id = string.match(members[i], '^%S+ (.*)$')
  if tonumber(members[i + 1]) > now then still[id] = true else ended[id] = true end
end
redis.call('ZREMRANGEBYSCORE', typing, '-inf', now)
for id in pairs(ended) do
  if not still[id] then
    table.insert(reply, id)
    reply[1] = reply[1] + 1
  end
end
for id in pairs(still) do table.insert(reply, id) end
local first = redis.call('ZRANGE', typing, 0, 0, 'WITHSCORES')
if first[2] then redis.call('ZADD', due, first[2], conversationId) else redis.call('ZREM', due, conversationId) end
return reply
