import { defineConfig } from 'vitest/config';

// Ends a test that hangs. A busy machine must not reach it (test/setup/patience.ts).
const hangMs = 180_000;

/**
 * `unit`: beside the code; `e2e`: real sockets, Postgres and Redis. Both get the services of
 * `test/setup`.
 *
 * Decorators and their metadata are compiled by Vite's Oxc, which reads both switches from
 * tsconfig.json (proved by test/setup/injection.spec.ts).
 */
export default defineConfig({
  test: {
    globalSetup: ['test/setup/global-setup.ts'],
    reporters: ['default', './test/setup/closing-line.reporter.ts'],
    // Two by default: each e2e file runs servers of its own, and timing tests suffer on a crowded
    // machine.
    maxWorkers: Number(process.env['VITEST_WORKERS'] ?? 2),
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.spec.ts', 'test/setup/**/*.spec.ts', 'test/chaos/**/*.spec.ts', 'test/docs/**/*.spec.ts'],
          setupFiles: ['reflect-metadata'],
          testTimeout: hangMs,
          hookTimeout: hangMs,
          expect: { poll: { timeout: 30_000 } },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.ts', 'examples/**/*.e2e.ts'],
          setupFiles: ['reflect-metadata'],
          testTimeout: hangMs,
          hookTimeout: hangMs,
          expect: { poll: { timeout: 30_000 } },
        },
      },
    ],
  },
});
