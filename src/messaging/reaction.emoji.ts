import { Matches, type ValidationOptions } from 'class-validator';
import { Spelled } from '../common/index.js';

// RGI_Emoji (UTS #51) is the set of sequences shown as one picture: flags, keycaps, skin tones,
// families. It holds them fully qualified only, so one emoji is one key. The flag `v` is read at
// run time: the compiler's target is older.
const emojiPattern = new RegExp('^\\p{RGI_Emoji}$', 'v');
// Shown as text unless U+FE0F follows; with a skin tone it is an emoji already.
const textPresentation = new RegExp('[\\p{Emoji}--\\p{Emoji_Presentation}](?!\\p{Emoji_Modifier})', 'gv');
const variationSelector = /\ufe0f/g;
// The longest sequence is shorter.
const maxCharacters = 64;

/** Whether a text is one fully qualified emoji: `❤️` (with U+FE0F) is, the sign `❤` is not. */
export function isEmoji(value: unknown): value is string {
  return typeof value === 'string' && emojiPattern.test(value);
}

/**
 * The fully qualified spelling of an emoji that may have U+FE0F too much or too little; anything
 * else stays as it is.
 */
export function qualified(text: string): string {
  if (text.length > maxCharacters) return text;
  const emoji = text.replace(variationSelector, '').replace(textPresentation, '$&\ufe0f');
  return isEmoji(emoji) ? emoji : text;
}

/** The shape of emojis: one grapheme of emoji presentation, with or without U+FE0F. */
export function IsEmoji(options: ValidationOptions = {}): PropertyDecorator {
  const matches = Matches(emojiPattern, { message: 'must be one emoji', ...options });
  const spelled = Spelled(qualified);
  return (target, property) => {
    matches(target, property);
    spelled(target, property);
  };
}
