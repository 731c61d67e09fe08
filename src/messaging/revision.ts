/** What a message said before an edit. */
export interface Revision {
  /** The message's rev while it said so, the last one. */
  rev: number;
  content: Record<string, unknown>;
  /** When it began to say so. */
  createdAt: string;
}
