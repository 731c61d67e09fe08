import w1 from './w1.mjs';
import w2 from './w2.mjs';
import w3 from './w3.mjs';

/** In the order they run. */
export const workloads = [w1, w2, w3];
