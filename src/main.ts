/** `npm start`: the reference server. It loads the server only if enough files can be opened. */
import { refusalOfOpenFiles } from './open-files/index.js';

const refusal = refusalOfOpenFiles();
if (refusal === null) await import('./reference-server.js');
else {
  process.exitCode = 1;
  process.stderr.on('error', () => undefined).write(`${refusal}\n`);
}
