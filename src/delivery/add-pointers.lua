-- Adds pointers to the queues of a user's absent devices. Returns {absent devices, sockets of the
-- user}.
local absent      = KEYS[1]           -- hash: deviceId -> token
local connections = KEYS[2]           -- zset: connectionId -> end of lease, unix ms, Redis clock
local prefix      = KEYS[3]           -- what the keys of the queues begin with: each adds its deviceId
local max         = tonumber(ARGV[1]) -- conversations; ARGV[2..]: conversationId, rev, and so on

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local sockets = 0
if redis.call('TYPE', connections).ok == 'zset' then sockets = redis.call('ZCOUNT', connections, now, '+inf') end

local kept = 0
if redis.call('TYPE', absent).ok ~= 'hash' then return { kept, sockets } end
local devices = redis.call('HGETALL', absent)
for i = 1, #devices, 2 do
  local queue = prefix .. devices[i]
  local isLost = redis.call('TYPE', queue).ok ~= 'hash' or redis.call('HGET', queue, 'token') ~= devices[i + 1]
  if not isLost then
    for j = 2, #ARGV, 2 do redis.call('HSETNX', queue, ARGV[j], ARGV[j + 1]) end
    isLost = redis.call('HLEN', queue) > max + 2
  end
  if isLost then
    redis.call('DEL', queue)
    redis.call('HDEL', absent, devices[i])
  else
    kept = kept + 1
  end
end
return { kept, sockets }
