import type { Reporter, TestModule } from 'vitest/node';

function count(modules: readonly TestModule[], state: 'passed' | 'failed'): number {
  return modules.reduce((sum, module) => sum + [...module.children.allTests(state)].length, 0);
}

// A file that does not load, or whose hooks fail, has no failed test but must not look like
// success.
function failuresOutsideTests(modules: readonly TestModule[]): number {
  return modules.filter((module) => !module.ok() && count([module], 'failed') === 0).length;
}

/** Ends the output with `N passed, N failed` alone on a line, for machines. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const failed = count(modules, 'failed') + failuresOutsideTests(modules) + errors.length;
    // After the summary, which the default reporter prints in this same step.
    queueMicrotask(() => process.stdout.write(`\n${count(modules, 'passed')} passed, ${failed} failed\n`));
  }
}
