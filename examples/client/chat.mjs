/**
 * A chat in the terminal that loses nothing: TOKEN=… node examples/client/chat.mjs alice
 *
 * What is typed while the server is away is sent when it is back, also if the program ended in
 * between.
 */
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { ParleyClient } from 'parley/client';
import { FileStorage } from './file.storage.mjs';

const { TOKEN: token, URL: url = 'http://localhost:3000', DATA = '.data/chat' } = process.env;
const other = process.argv[2];
if (!token || !other) giveUp('TOKEN=$(npm run -s token -- bob) node examples/client/chat.mjs alice');
const { sub: me } = JSON.parse(atob(token.split('.')[1]));
const storage = new FileStorage(`${DATA}/${me}.json`);
const client = new ParleyClient({ url, token, deviceId: 'terminal', storage, ackMode: 'manual' });

client.on('state', ({ state, error }) => console.log(`[${state}${error ? `: ${error.code}` : ''}]`));
client.on('new-message', ({ senderId, content }) => console.log(`${senderId}: ${content?.text ?? '(deleted)'}`));
client.on('message-deleted', ({ messageId }) => console.log(`[deleted: ${messageId}]`));
client.on('message-sent', ({ message }) => console.log(`[sent as message ${message.seq}]`));
client.on('message-failed', ({ error }) => console.log(`[not sent: ${error.code}]`));

function giveUp(reason) {
  console.error(reason);
  process.exit(1);
}

/** The same conversation for both, whoever asks first; remembered, for when the server is away. */
async function directConversation() {
  const known = storage.getItem(`conversation:${other}`);
  if (known) return known;
  const response = await fetch(`${url}/v1/conversations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'direct', participantIds: [other] }),
  }).catch(() => giveUp(`nobody answers at ${url}: the first time, the server has to run`));
  if (!response.ok) giveUp(`${response.status}: ${await response.text()}`);
  const { id } = await response.json();
  storage.setItem(`conversation:${other}`, id);
  return id;
}

const conversationId = await directConversation();
void client.connect();
const terminal = createInterface({ input: process.stdin });
let last = Promise.resolve();
terminal.on('line', (text) => {
  last = client.send({ conversationId, content: { text } });
});
terminal.on('close', async () => {
  // Messages in flight get a moment. The next run sends those that remain.
  await Promise.race([last, setTimeout(1_000)]).catch(() => undefined);
  await client.close();
});
process.on('SIGINT', () => terminal.close());
