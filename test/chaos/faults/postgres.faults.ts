import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from './fault.js';

const target = 'postgres';
const terminations = 5;

/** Postgres is restarted, crashes, loses its backends in the middle of commits, hangs. */
export const postgresFaults: readonly Fault[] = [
  {
    name: 'postgres-restart',
    lastsMs: [0, 500],
    begin: async ({ scene }) => {
      await scene.postgres.restart('SIGINT');
      return { target, hit: 1 };
    },
  },
  {
    name: 'postgres-crash',
    lastsMs: [0, 500],
    begin: async ({ scene }) => {
      await scene.postgres.restart('SIGQUIT');
      return { target, hit: 1 };
    },
  },
  {
    name: 'postgres-terminate-backends',
    lastsMs: [0, 500],
    begin: async ({ scene, random }) => {
      let hit = 0;
      for (let i = 0; i < terminations; i++) {
        hit += await scene.postgres.terminateBackends();
        await pause(random.between(50, 400));
      }
      return { target, hit };
    },
  },
  {
    name: 'postgres-readonly',
    lastsMs: [1_000, 4_000],
    begin: async ({ scene }) => {
      await scene.postgres.setReadOnly(true);
      return { target, hit: 1, end: () => scene.postgres.setReadOnly(false) };
    },
  },
  {
    name: 'postgres-hang',
    lastsMs: [1_000, 5_000],
    begin: async ({ scene }) => {
      const goOn = await scene.postgres.hang();
      return { target, hit: 1, end: goOn };
    },
  },
];
