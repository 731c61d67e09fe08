/**
 * The first steps of both terminals: read the token, find the direct conversation of the two,
 * connect.
 */
import { io } from 'socket.io-client';

const url = process.env.URL ?? 'http://localhost:3000';
const token = process.env.TOKEN;

function giveUp(reason) {
  console.error(reason);
  process.exit(1);
}

/** The same conversation for both, whoever asks first. */
async function directConversation(other) {
  const response = await fetch(`${url}/v1/conversations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'direct', participantIds: [other] }),
  }).catch(() => giveUp(`nobody answers at ${url}: is the server running?`));
  const answer = await response.json();
  if (!response.ok) giveUp(`${answer.code}: ${answer.detail}`);
  return answer.id;
}

/** @returns the connected socket, and the id of the caller's direct conversation with `other` */
export async function openChat(other) {
  if (!token) giveUp('Set TOKEN: TOKEN=$(npm run -s token -- alice) node …');
  const conversationId = await directConversation(other);
  const socket = io(url, { auth: { token } });
  socket.on('connect_error', (error) => console.error(`not connected: ${error.data?.code ?? error.message}`));
  socket.on('error', (error) => console.error(`${error.event ?? 'error'}: ${error.code}: ${error.message}`));
  return { socket, conversationId };
}
