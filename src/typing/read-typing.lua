-- Returns the ids of those who type in a conversation, with repeats.
local typing = KEYS[1] -- zset: "connectionId userId" -> end, unix ms, Redis clock

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local userIds = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', typing, '(' .. string.format('%.0f', now), '+inf')) do
  table.insert(userIds, string.match(member, '^%S+ (.*)$'))
end
return userIds
