import { once } from 'node:events';

/** Tells the parent where the run is and goes on when it has looked at the clocks. */
export async function gate(name) {
  const answered = once(process, 'message');
  process.send({ gate: name });
  await answered;
}
