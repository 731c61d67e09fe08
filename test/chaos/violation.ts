/** The kinds of violation, with their text and order in the summary. */
export const violationKinds = {
  lost: 'acked and lost',
  twice: 'stored twice',
  seq: 'holes, repeats or disagreements in seq',
  order: 'out of order on one connection',
  behind: 'devices that did not catch up',
  late: 'live messages later than their bound',
  receipt: 'receipts that went back, or claimed too much',
  deleted: 'deleted content seen again',
  unanswered: 'acks never answered on a live socket',
  refused: 'refused without cause',
  node: 'unexpected exits and unhandled rejections',
  presence: 'presence wrong after its bound',
  campaign: 'faults that did not fire, or too little sent',
} as const;

export type ViolationKind = keyof typeof violationKinds;

export interface Violation {
  kind: ViolationKind;
  /** When it showed, in ms since the run began. */
  t: number;
  /** For people: which device, conversation, message; what was seen and what was due. */
  what: string;
}
