/** Reads the processor time of processes (Linux: `/proc`). */
import { readFileSync } from 'node:fs';

const ticksPerSecond = 100;
const field = { user: 11, system: 12, childrenUser: 13, childrenSystem: 14 };

function ticks(pid, names) {
  // The name in parentheses may hold spaces.
  const values = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  return names.reduce((sum, name) => sum + Number(values[field[name]]), 0);
}

const toMs = (count) => (count * 1_000) / ticksPerSecond;

/** Processor time of a process so far, all threads, in milliseconds. */
export function cpuMs(pid) {
  return toMs(ticks(pid, ['user', 'system']));
}

/** Processor time of a process and its children, those that have ended too. */
export function cpuMsOfTree(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  const alive = children.map((child) => {
    try {
      return ticks(child, ['user', 'system']);
    } catch {
      // Ended since the list was read.
      return 0;
    }
  });
  return toMs(alive.reduce((sum, one) => sum + one, ticks(pid, Object.keys(field))));
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1_024;
}
