import { rest } from './client.js';

async function create(url: string, caller: string, body: object): Promise<string> {
  const { status, body: conversation } = await rest<{ id: string }>(url, caller, 'POST', '/v1/conversations', body);
  if (status !== 201 && status !== 200) throw new Error(`no conversation: ${status} ${JSON.stringify(conversation)}`);
  return conversation.id;
}

/** The direct conversation of two users. */
export function directConversation(url: string, caller: string, other: string): Promise<string> {
  return create(url, caller, { kind: 'direct', participantIds: [other] });
}

/** The direct conversation of two users who have both opened it, so each may see the other. */
export async function mutualConversation(url: string, one: string, other: string): Promise<string> {
  await directConversation(url, one, other);
  return directConversation(url, other, one);
}

/** A new group whose owner is the caller. */
export function groupConversation(url: string, caller: string, others: string[]): Promise<string> {
  return create(url, caller, { kind: 'group', title: 'A group', participantIds: others });
}
