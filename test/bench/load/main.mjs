/** The load generator, a process of its own: takes one job as a message, answers with one result. */
import { idling } from './idling.mjs';
import { sending } from './sending.mjs';

const kinds = { sending, idling };

process.once('message', async (job) => {
  process.send({ result: await kinds[job.kind](job) }, () => process.exit(0));
});
process.on('disconnect', () => process.exit(1));
