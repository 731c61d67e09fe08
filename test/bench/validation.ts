/**
 * Compares {@link toDto} with plain class-validator (ADR-0010): processor time of one validation of
 * `send-message`.
 *
 * `node --import ./scripts/typescript.mjs test/bench/validation.ts`
 */
import 'reflect-metadata';
import { getMetadataStorage, validateSync } from 'class-validator';

const storage = getMetadataStorage();
const collectEveryTime = storage.getTargetValidationMetadatas.bind(storage);
const { toDto } = await import('../../src/common/index.js');
const { SendMessageDto } = await import('../../src/messaging/message.dto.js');
const asOurs = storage.getTargetValidationMetadatas;

const payload = { conversationId: '0190f2d4-0000-7000-8000-000000000000', type: 'text', content: { text: 'Hello!' } };
const times = 100_000;

function plainly(): void {
  storage.getTargetValidationMetadatas = collectEveryTime;
  const dto = Object.assign(new SendMessageDto(), payload);
  validateSync(dto, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false });
}

function ours(): void {
  storage.getTargetValidationMetadatas = asOurs;
  toDto(SendMessageDto, payload);
}

function measure(name: string, validate: () => void): void {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) validate();
  const { user, system } = process.cpuUsage(before);
  console.log(`${name}: ${((user + system) / times).toFixed(1)} µs`);
}

measure('warm-up', plainly);
measure('class-validator', plainly);
measure('warm-up', ours);
measure('toDto', ours);
