-- Makes a socket's typing last from now. Returns whether the user began (1) or typed already (0),
-- the end (unix ms), the present time (unix us), then the ids of all who type, with repeats.
local typing = KEYS[1]           -- zset: "connectionId userId" -> end, unix ms, Redis clock
local due    = KEYS[2]           -- zset: conversationId -> earliest end, unix ms
local conversationId, userId, connectionId = ARGV[1], ARGV[2], ARGV[3] -- strings
local ttlMs  = tonumber(ARGV[4]) -- ms

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local began = 1
local reply = { 1, now + ttlMs, time[1] * 1000000 + time[2], userId }
local members = redis.call('ZRANGE', typing, 0, -1, 'WITHSCORES')
for i = 1, #members, 2 do
  local id = string.match(members[i], '^%S+ (.*)$')
  -- What has ended but was not handed out yet simply goes on: nobody has heard of the end.
  if id == userId then began = 0
  elseif tonumber(members[i + 1]) > now then table.insert(reply, id) end
end
reply[1] = began
redis.call('ZADD', typing, now + ttlMs, connectionId .. ' ' .. userId)
redis.call('PEXPIRE', typing, ttlMs + 3600000)
redis.call('ZADD', due, redis.call('ZRANGE', typing, 0, 0, 'WITHSCORES')[2], conversationId)
return reply
