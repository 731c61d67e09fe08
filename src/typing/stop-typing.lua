-- Ends what a socket, or all sockets of a user, type. Returns whether the user's typing ended by
-- that (1 or 0), the time (unix us), then the ids of those who still type, with repeats.
local typing = KEYS[1] -- zset: "connectionId userId" -> end, unix ms, Redis clock
local due    = KEYS[2] -- zset: conversationId -> earliest end, unix ms
local conversationId, userId, connectionId = ARGV[1], ARGV[2], ARGV[3] -- strings; connectionId '': all

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local removed, left = 0, 0
local reply = { 0, time[1] * 1000000 + time[2] }
local members = redis.call('ZRANGE', typing, 0, -1, 'WITHSCORES')
for i = 1, #members, 2 do
  local connection, id = string.match(members[i], '^(%S+) (.*)$')
  if id ~= userId then
    if tonumber(members[i + 1]) > now then table.insert(reply, id) end
  elseif connectionId == '' or connectionId == connection then
    removed = removed + redis.call('ZREM', typing, members[i])
  else
    left = left + 1
    table.insert(reply, id)
  end
end
if removed > 0 and left == 0 then reply[1] = 1 end
local first = redis.call('ZRANGE', typing, 0, 0, 'WITHSCORES')
if first[2] then redis.call('ZADD', due, first[2], conversationId) else redis.call('ZREM', due, conversationId) end
return reply
