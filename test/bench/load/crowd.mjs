import { Client } from './client.mjs';

const waveSize = 50;

/**
 * Connects users, fifty at a time.
 *
 * @param users `{ url, auth, conversationId, mustJoin }`
 * @param onPacket called with the user's index, the event's name and the packet
 */
export async function connectAll(users, onPacket) {
  const clients = [];
  for (let at = 0; at < users.length; at += waveSize) {
    const wave = users
      .slice(at, at + waveSize)
      .map((user, i) => new Client(user.url, user.auth, (event, packet) => onPacket(at + i, event, packet)));
    await Promise.all(wave.map((client) => client.ready));
    clients.push(...wave);
  }
  const joining = users.map(({ mustJoin, conversationId }, i) =>
    mustJoin ? clients[i].ask('join-conversation', { conversationId }) : null,
  );
  await Promise.all(joining);
  return clients;
}

/** Polls until `isTrue()`, at most `timeoutMs`. */
export async function until(isTrue, timeoutMs = 8_000) {
  const deadline = performance.now() + timeoutMs;
  while (!isTrue() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
}
