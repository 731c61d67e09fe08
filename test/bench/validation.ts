/**
 * What collecting class-validator's rules once saves (ADR-0010): processor time of one validation of `send-message`.
 *
 * `node --import ./scripts/typescript.mjs test/bench/validation.ts`
 */
import 'reflect-metadata';
import { getMetadataStorage } from 'class-validator';

const storage = getMetadataStorage();
const collect = storage.getTargetValidationMetadatas.bind(storage);
const { toDto } = await import('../../src/common/index.js');
const { SendMessageDto } = await import('../../src/messaging/message.dto.js');
const remember = storage.getTargetValidationMetadatas;

const payload = { conversationId: '0190f2d4-0000-7000-8000-000000000000', type: 'text', content: { text: 'Hello!' } };
const times = 100_000;

function validateOften(): void {
  for (let i = 0; i < times; i++) toDto(SendMessageDto, payload);
}

for (const [name, rules] of Object.entries({ 'warm-up': collect, 'every time': collect, once: remember })) {
  storage.getTargetValidationMetadatas = rules;
  const before = process.cpuUsage();
  validateOften();
  const { user, system } = process.cpuUsage(before);
  console.log(`rules collected ${name}: ${((user + system) / times).toFixed(1)} µs`);
}
