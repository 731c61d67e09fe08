/** Senders and recipients: lists of users for the load generator. */

const urlOf = (target, i) => target.urls[i % target.urls.length];

function user(target, i, userId, conversationId, peers) {
  const auth = target.authOf(userId, [conversationId]);
  return { url: urlOf(target, i), auth, conversationId, peers, mustJoin: target.mustJoin ?? false };
}

/**
 * Pairs who write to each other; the two of a pair are on different processes where there are two.
 */
export async function pairs(target, count) {
  const users = [];
  for (let i = 0; i < count; i++) {
    const [a, b] = [`a${i}`, `b${i}`];
    const conversationId = await target.direct(a, b);
    users.push(
      user(target, 2 * i, a, conversationId, [2 * i + 1]),
      user(target, 2 * i + 1, b, conversationId, [2 * i]),
    );
  }
  return users;
}

/**
 * One group of `size` users, all connected.
 *
 * @param options.name of the group, in its members' ids
 * @param options.mustJoin whether they open the conversation: typing needs it
 */
export async function group(target, size, { name = 'g', mustJoin = target.mustJoin } = {}) {
  const names = Array.from({ length: size }, (_, i) => `${name}${size}-${i}`);
  const conversationId = await target.group(names);
  const all = names.map((_, i) => i);
  return names.map((userId, i) => {
    const peers = all.filter((j) => j !== i);
    return { ...user(target, i, userId, conversationId, peers), mustJoin };
  });
}

/** Users who do nothing. */
export function idlers(target, count) {
  return Array.from({ length: count }, (_, i) => user(target, i, `idle${i}`, `idle:${i}`, []));
}
