/** Sends one message: TOKEN=… node examples/first-chat/send.mjs bob "Hello!" */
import { openChat } from './session.mjs';

const [, , other = 'bob', text = 'Hello!'] = process.argv;
const { socket, conversationId } = await openChat(other);

socket.emit('join-conversation', conversationId);
// The callback is optional. It is called once, when the message is committed or refused.
socket.emit('send-message', { conversationId, content: { text }, type: 'text' }, (ack) => {
  console.log(ack.ok ? `sent as message ${ack.data.message.seq} of the conversation` : `not sent: ${ack.error.code}`);
  socket.disconnect();
});
