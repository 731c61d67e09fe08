import { defineConfig } from 'vitest/config';

/**
 * `npm run test:load`: limits of time, for a quiet machine. Not part of `npm test`. One file at a
 * time, because two would measure each other.
 */
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    globalSetup: ['test/setup/global-setup.ts'],
    reporters: ['default', './test/setup/closing-line.reporter.ts'],
    include: ['test/load/**/*.load.ts'],
    setupFiles: ['reflect-metadata'],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
