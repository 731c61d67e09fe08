/**
 * The load generator, a process of its own: takes one job as a message, answers with one result.
 */
import { asking, connecting } from './asking.mjs';
import { idling } from './idling.mjs';
import { sending } from './sending.mjs';
import { typing } from './typing.mjs';

const kinds = { asking, connecting, idling, sending, typing };

process.once('message', async (job) => {
  process.send({ result: await kinds[job.kind](job) }, () => process.exit(0));
});
process.on('disconnect', () => process.exit(1));
