import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { expect, it } from 'vitest';

@Injectable()
class Engine {
  readonly sound = 'brum';
}

@Injectable()
class Car {
  constructor(readonly engine: Engine) {}
}

it('injects by the type of a constructor parameter, so the compiler writes decorator metadata', async () => {
  const module = await Test.createTestingModule({ providers: [Engine, Car] }).compile();
  expect(module.get(Car).engine.sound).toBe('brum');
});
