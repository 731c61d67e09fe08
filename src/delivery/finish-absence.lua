-- Completes a queue and declares it whole. Returns 1, or 0 if this absence is over or its queue was
-- lost or is too long.
local absent   = KEYS[1]           -- hash: deviceId -> token
local queue    = KEYS[2]           -- hash: conversationId -> rev, and the fields token and whole
local deviceId = ARGV[1]           -- string
local token    = ARGV[2]           -- string
local max      = tonumber(ARGV[3]) -- conversations; ARGV[4..]: conversationId, rev, and so on

if redis.call('TYPE', absent).ok ~= 'hash' or redis.call('TYPE', queue).ok ~= 'hash' then return 0 end
if redis.call('HGET', absent, deviceId) ~= token or redis.call('HGET', queue, 'token') ~= token then return 0 end
for i = 4, #ARGV, 2 do redis.call('HSETNX', queue, ARGV[i], ARGV[i + 1]) end
if redis.call('HLEN', queue) > max + 1 then
  redis.call('DEL', queue)
  redis.call('HDEL', absent, deviceId)
  return 0
end
-- A replica that took over, or a restart from a snapshot, may lack pointers: the marker is good for
-- this process only.
redis.call('HSET', queue, 'whole', string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'))
return 1
