/**
 * Prints what the other one writes, until Ctrl-C: TOKEN=… node examples/first-chat/listen.mjs alice
 */
import { openChat } from './session.mjs';

const other = process.argv[2] ?? 'alice';
const { socket, conversationId } = await openChat(other);

socket.on('session-ready', () => console.log(`waiting for ${other} in conversation ${conversationId}`));
socket.on('new-message', (message) => console.log(`${message.senderId}: ${message.content.text}`));
