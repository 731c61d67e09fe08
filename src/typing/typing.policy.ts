/**
 * Says who does not see whom type, among participants of one conversation. Default: blocks, either
 * way ({@link BlocksTypingPolicy}).
 *
 * Called on the node of whoever types, before each event, and on the node of whoever asks, for each
 * typist. Not called for groups above `TYPING_MAX_PARTICIPANTS`, where typing is not told at all.
 *
 * Allowed answers: any of the viewers' ids. A throw keeps the event back, and fails the question
 * with its code (a ChatError) or `INTERNAL`: nothing is shown when in doubt. There is no time-out
 * besides that of the event; keep what it needs in memory. There is one policy; to combine several,
 * write one that asks them.
 *
 * @since 0.1.0
 * @example ParleyModule.forRoot({ typingPolicy: QuietPolicy })
 */
export abstract class TypingPolicy {
  /** @returns those of the viewers who do not see this user type */
  abstract hiddenFrom(typistId: string, viewerIds: readonly string[]): Promise<ReadonlySet<string>>;
}
