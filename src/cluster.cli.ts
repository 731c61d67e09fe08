/**
 * `npm run cluster -- --nodes 4`: several reference servers behind one port. It loads them only if
 * enough files can be opened.
 */
import { refusalOfOpenFiles } from './open-files/index.js';

const refusal = refusalOfOpenFiles();
if (refusal === null) await import('./cluster-launcher.js');
else {
  process.exitCode = 1;
  process.stderr.on('error', () => undefined).write(`${refusal}\n`);
}
