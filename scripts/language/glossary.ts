/** Words of this project's past, and the established word for each (docs/glossary.md). */
export const replacedWords: [pattern: RegExp, instead: string][] = [
  [/\btell(s|ing)?\b|\btold\b|\bnews\b/i, 'send, event'],
  [/\bhear(s|d|ing)?\b/i, 'receive'],
  [/\bannounc(er|ers|ement|ements)\b/i, 'outbox publisher, event'],
  [/\bnotices?\b|\bnotice log\b|\btickets?\b|\benlist(s|ed|ing)?\b/i, 'outbox'],
  [/\bproofs?\b|\bprove(s|d|n)?\b|\bunproven\b/i, 'delivery acknowledgement'],
  [/\bbacklogs?\b|\bowe(s|d)?\b/i, 'redelivery'],
  [/\blanes?\b/i, 'delivery stream'],
  [/\babsences?\b|\bkeepers?\b/i, 'offline queue, before-delete hook'],
  [/\bbur(y|ies|ied)\b/i, 'tombstone'],
  [/\bpace(s|d|r)?\b/i, 'admission control'],
  [/\bdetours?\b/i, 'blocked-conversation queue'],
  [/\bdrafters?\b/i, 'message factory'],
  [/\bfirst sights?\b/i, 'user provisioning'],
  [/\bfounders?\b/i, 'conversation creator'],
  [/\buntold\b/i, 'last-announced presence'],
  [/\bgrouped calls?\b/i, 'batcher, data loader'],
  [/\beverywhere\b|\bsearch walks?\b/i, 'global search'],
  [/\bsightings?\b/i, 'connected-device lookup'],
  [/\bdialers?\b/i, 'reconnector'],
  [/\breception\b|\binbox(es)?\b|\bhand(s|ed)? over\b/i, 'inbound pipeline'],
  [/\bledgers?\b/i, 'seen-state'],
  [/\bstanding wish(es)?\b|\bwish(es)?\b/i, 'resubscriptions'],
  [/\bvaults?\b/i, 'namespaced storage'],
  [/\bspare(s|d)?\b/i, 'suppress echo'],
];

/** Names in code are looked at word by word: `sawNoticeLog` is "saw notice log". */
export const wordsOfName = (name: string): string =>
  name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[_\-.]/g, ' ')
    .toLowerCase();
