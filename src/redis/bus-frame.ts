/** One message on the bus. */
export interface BusFrame {
  from: string;
  /** Empty: a self-ping. */
  topic: string;
  /** Not yet parsed: most nodes have no handler for most of their own traffic. */
  json: string;
}

/**
 * `<nodeId> LF <topic> LF <json>`: a receiver tells its own messages and the topic without parsing.
 */
export function encodeFrame({ from, topic, json }: BusFrame): string {
  return `${from}\n${topic}\n${json}`;
}

/** @returns null for what {@link encodeFrame} has not made */
export function decodeFrame(text: string): BusFrame | null {
  const first = text.indexOf('\n');
  const second = text.indexOf('\n', first + 1);
  if (first < 1 || second < 0) return null;
  return { from: text.slice(0, first), topic: text.slice(first + 1, second), json: text.slice(second + 1) };
}
