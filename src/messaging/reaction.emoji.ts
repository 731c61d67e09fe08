import { Matches, type ValidationOptions } from 'class-validator';

// RGI_Emoji (UTS #51) is the set of sequences shown as one picture: flags, keycaps, skin tones,
// families. It holds them in their full spelling only, so one emoji is one key. The flag `v` is
// read at run time: the compiler's target is older.
const emojiPattern = new RegExp('^\\p{RGI_Emoji}$', 'v');

/**
 * Whether a text is one grapheme of emoji presentation: `❤️` (with U+FE0F) is, the sign `❤` is not.
 */
export function isEmoji(value: unknown): value is string {
  return typeof value === 'string' && emojiPattern.test(value);
}

/** The shape of emojis: see {@link isEmoji}. */
export function IsEmoji(options: ValidationOptions = {}): PropertyDecorator {
  return Matches(emojiPattern, { message: 'must be one emoji', ...options });
}
