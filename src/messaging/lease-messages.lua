-- Takes messages out of a user's budget. Returns how many, or, below zero, the ms until there will
-- be one.
local budget    = KEYS[1]           -- hash: tokens (number), at (unix ms, Redis clock)
local wanted    = tonumber(ARGV[1]) -- messages
local perSecond = tonumber(ARGV[2]) -- messages a second
local burst     = tonumber(ARGV[3]) -- messages at once

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local state = redis.call('HMGET', budget, 'tokens', 'at')
local tokens = tonumber(state[1]) or burst
local at = tonumber(state[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * perSecond / 1000)
local granted = math.min(wanted, math.floor(tokens))
redis.call('HSET', budget, 'tokens', string.format('%.3f', tokens - granted), 'at', string.format('%.0f', now))
-- By then the budget is whole again, as if there were none.
redis.call('PEXPIRE', budget, math.ceil(burst * 1000 / perSecond) + 1000)
if granted > 0 then return granted end
return -math.ceil((1 - tokens) * 1000 / perSecond)
