-- Applies changes to users of one shard, in order. Returns the shard's epoch, then userId, status,
-- when last seen (unix ms) and when it happened (unix microseconds) of each transition: what the
-- caller, and nobody else, has to announce.
local epochKey   = KEYS[1]           -- string
local due        = KEYS[2]           -- zset: userId -> when to look at him next, unix ms; KEYS[3..]: hash per change
local ttlMs      = tonumber(ARGV[1]) -- ms
local graceMs    = tonumber(ARGV[2]) -- ms
local knownEpoch = ARGV[3]           -- string, '' when the caller knows none
local newEpoch   = ARGV[4]           -- string, taken where there is none
-- ARGV[5..], six per change: verb (connect, renew, disconnect, intend, sweep), userId,
-- connectionId, deviceId, status and what the caller's node has told of this device before ('' for
-- nothing); all strings

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local nowUs = time[1] * 1000000 + time[2]
local rank = { offline = 0, away = 1, online = 2 }
local keepMs = math.max(ttlMs, graceMs) + 3600000

redis.call('SET', epochKey, newEpoch, 'NX')
local epoch = redis.call('GET', epochKey)
local wasEmptied = knownEpoch ~= '' and knownEpoch ~= epoch
local reply = { epoch }

local function read(key)
  local user = { leases = {}, told = 'offline', seen = now }
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local name, value = fields[i], fields[i + 1]
    if name == '@told' then user.told = value
    elseif name == '@until' then user.graceEnd = tonumber(value)
    elseif name == '@seen' then user.seen = tonumber(value)
    else
      local endsAt, status, device = string.match(value, '^(%d+) (%a+) (.*)$')
      user.leases[name] = { endsAt = tonumber(endsAt), status = status, device = device }
    end
  end
  return user
end

local function carryOut(user, verb, id, device, status)
  if verb == 'disconnect' then
    user.leases[id] = nil
  elseif verb == 'intend' then
    for _, lease in pairs(user.leases) do
      if lease.device == device then lease.status = status end
    end
    local own = user.leases[id]
    user.leases[id] = { endsAt = own and own.endsAt or now + ttlMs, status = status, device = device }
  elseif verb ~= 'sweep' then
    local own = user.leases[id]
    local kept = verb == 'renew' and own and own.endsAt > now
    user.leases[id] = { endsAt = now + ttlMs, status = kept and own.status or status, device = device }
  end
end

-- Drops what has ended. Returns the best status, and the earliest end of a lease, nil when there is
-- none.
local function addUp(user)
  local best, nextEnd = 'offline', nil
  for id, lease in pairs(user.leases) do
    if lease.endsAt <= now then
      user.leases[id] = nil
    else
      if rank[lease.status] > rank[best] then best = lease.status end
      if not nextEnd or lease.endsAt < nextEnd then nextEnd = lease.endsAt end
    end
  end
  return best, nextEnd
end

local function hasChanged(user, best, verb)
  if rank[best] >= rank[user.told] then
    user.graceEnd = nil
  else
    if verb == 'disconnect' and not user.graceEnd then user.graceEnd = now + graceMs end
    if user.graceEnd and user.graceEnd > now then return false end
    user.graceEnd = nil
  end
  return best ~= user.told
end

local function write(key, userId, user, nextEnd)
  redis.call('DEL', key)
  if not nextEnd and user.told == 'offline' then
    redis.call('ZREM', due, userId)
    return
  end
  local fields = { '@told', user.told, '@seen', user.seen }
  if user.graceEnd then
    table.insert(fields, '@until')
    table.insert(fields, user.graceEnd)
  end
  for id, lease in pairs(user.leases) do
    table.insert(fields, id)
    table.insert(fields, string.format('%.0f %s %s', lease.endsAt, lease.status, lease.device))
  end
  redis.call('HSET', key, unpack(fields))
  redis.call('PEXPIRE', key, keepMs)
  redis.call('ZADD', due, math.min(nextEnd or math.huge, user.graceEnd or math.huge), userId)
end

for i = 3, #KEYS do
  local at = 5 + (i - 3) * 6
  local verb, userId, id, device, status, before = unpack(ARGV, at, at + 5)
  local user = read(KEYS[i])
  -- What a node had told before the shard was emptied counts as told: no second event, and none
  -- that never comes.
  if wasEmptied and before ~= '' and rank[before] > rank[user.told] then user.told = before end
  carryOut(user, verb, id, device, status)
  local best, nextEnd = addUp(user)
  if verb ~= 'sweep' and (best ~= 'offline' or verb ~= 'renew') then user.seen = now end
  if hasChanged(user, best, verb) then
    user.told = best
    table.insert(reply, userId)
    table.insert(reply, best)
    table.insert(reply, user.seen)
    table.insert(reply, nowUs)
  end
  write(KEYS[i], userId, user, nextEnd)
end
return reply
