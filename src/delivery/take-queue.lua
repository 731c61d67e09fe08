-- Ends a device's absence. Returns {conversationId, rev, ...} of a queue that is whole, else false.
local absent   = KEYS[1] -- hash: deviceId -> token
local queue    = KEYS[2] -- hash: conversationId -> rev, and the fields token and whole
local deviceId = ARGV[1] -- string

local fields = false
if redis.call('TYPE', queue).ok == 'hash' then fields = redis.call('HGETALL', queue) end
local token = false
if redis.call('TYPE', absent).ok == 'hash' then
  token = redis.call('HGET', absent, deviceId)
  redis.call('HDEL', absent, deviceId)
end
redis.call('DEL', queue)
if not fields or not token then return false end

local pointers = {}
local isWhole = false
local isOwn = false
local process = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
for i = 1, #fields, 2 do
  if fields[i] == 'whole' then isWhole = fields[i + 1] == process
  elseif fields[i] == 'token' then isOwn = fields[i + 1] == token
  else
    pointers[#pointers + 1] = fields[i]
    pointers[#pointers + 1] = fields[i + 1]
  end
end
return isWhole and isOwn and pointers
