import assert from 'node:assert/strict';
import { ChatError, hasValidationRules, toDto, type ContractCase } from '../common/index.js';
import type { MessageType } from './message.type.js';

export interface MessageTypeSubject {
  type: MessageType;
  /** Contents it takes. */
  good: readonly object[];
  /** Contents it refuses. */
  bad: readonly object[];
}

/** As the server judges a content, but for its bytes. */
function judge({ type }: MessageTypeSubject, content: object): void {
  const checked = toDto(type.contentClass, content, { path: 'content', isOpen: type.isOpen });
  type.check?.(checked);
}

/** What every {@link MessageType} must do. */
export const messageTypeContract: ContractCase<MessageTypeSubject>[] = [
  {
    name: 'has a name for the wire, and rules',
    check({ type }) {
      assert.match(type.name, /^[a-z0-9._-]{1,64}$/);
      assert.ok(hasValidationRules(type.contentClass), 'a content class without rules takes nothing');
    },
  },
  {
    name: 'takes its contents, also when they come from JSON, and leaves them as they are',
    check(subject) {
      for (const content of subject.good) {
        const received = JSON.parse(JSON.stringify(content)) as object;
        judge(subject, received);
        assert.deepEqual(received, JSON.parse(JSON.stringify(content)));
      }
    },
  },
  {
    name: 'refuses others, and unknown properties unless it is open, with a code and the place',
    check(subject) {
      const closed = subject.type.isOpen ? [] : subject.good;
      const unknown = closed.map((content) => ({ ...content, 'no such property': 1 }));
      for (const content of [...subject.bad, ...unknown]) {
        assert.throws(
          () => judge(subject, content),
          (error) =>
            error instanceof ChatError && (error.details ?? []).every(({ path }) => path.startsWith('content')),
          `taken, or refused with something other than a ChatError about content: ${JSON.stringify(content)}`,
        );
      }
    },
  },
];
