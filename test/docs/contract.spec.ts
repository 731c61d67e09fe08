import { expect, it } from 'vitest';
import { citationFaults, contractFaults, readContract, type WireNames } from '../../scripts/contract.js';

const page = `
# Protocol

## Not built yet

| capability | events | routes | codes |
| --- | --- | --- | --- |
| pins | \`pin-message\` | \`PUT /v1/messages/:id/pin\` | \`GONE\` |

<a id="envelope"></a>

## 2. Envelope

| code | when |
| --- | --- |
| \`NOT_FOUND\` \`FORBIDDEN\` | see \`OTHER\` |
| \`GONE\` | too old |

## 4. Client events

| event | payload |
| --- | --- |
| \`send-message\` / \`edit-message\` | \`{ text }\` |
| \`pin-message\` | |

## 5. Server events

| event | payload |
| --- | --- |
| \`new-message\` | |

## 8. REST

| route | body |
| --- | --- |
| \`GET\`, \`PATCH /v1/me\` | in the other \`POST\` bodies |
| \`GET /v1/users?userIds=\` | |
| \`PUT /v1/messages/:id/pin\` | |

## 14. Streams
`;

const built: WireNames = {
  events: new Set(['send-message', 'edit-message', 'new-message']),
  routes: new Set(['GET /v1/me', 'PATCH /v1/me', 'GET /v1/users']),
  codes: new Set(['NOT_FOUND', 'FORBIDDEN']),
};

function withChange(kind: keyof WireNames, change: (names: Set<string>) => void): WireNames {
  const copy = { events: new Set(built.events), routes: new Set(built.routes), codes: new Set(built.codes) };
  change(copy[kind]);
  return copy;
}

it('accepts code that has what the contract names and does not mark', () => {
  expect(contractFaults(readContract(page), built)).toEqual([]);
});

it.each(['events', 'routes', 'codes'] as const)('names what is missing in the code, of %s', (kind) => {
  const [first] = built[kind];
  const faults = contractFaults(
    readContract(page),
    withChange(kind, (names) => names.delete(first!)),
  );
  expect(faults).toEqual([`docs/protocol.md: the code has no ${first}, and "Not built yet" does not name it`]);
});

it.each(['events', 'routes', 'codes'] as const)('names what exists in the code only, of %s', (kind) => {
  const faults = contractFaults(
    readContract(page),
    withChange(kind, (names) => names.add('EXTRA')),
  );
  expect(faults).toEqual(['docs/protocol.md: EXTRA exists in the code only']);
});

it('asks to remove the mark of what is built', () => {
  const faults = contractFaults(
    readContract(page),
    withChange('events', (names) => names.add('pin-message')),
  );
  expect(faults).toEqual(['docs/protocol.md: pin-message is built; remove it from "Not built yet"']);
});

it('refuses citations of anchors that do not exist', () => {
  const { anchors } = readContract(page);
  const contract = 'docs/protocol.md';
  const file = `see ${contract}#envelope, [x](../${'protocol.md'}#2-envelope), ${contract}#guarantee-99`;
  expect(citationFaults('src/a.ts', file, anchors)).toEqual([
    `src/a.ts: cites ${contract}#guarantee-99, an anchor that does not exist`,
  ]);
});
