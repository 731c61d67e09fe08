import { describe, expect, it } from 'vitest';
import { isEmoji } from './reaction.emoji.js';

describe('isEmoji', () => {
  it.each(['👍', '❤️', '👍🏽', '👨‍👩‍👧‍👦', '🇩🇪', '1️⃣', '🏴󠁧󠁢󠁳󠁣󠁴󠁿', '🏳️‍🌈'])('accepts %s', (emoji) => {
    expect(isEmoji(emoji)).toBe(true);
  });

  it.each(['', ' ', 'a', '1', '#', '👍👍', '👍 ', ' 👍', '👍a', '❤', '\u200d', '\ufe0f', '🇩', ':+1:', '👍\n'])(
    'refuses %j',
    (text) => {
      expect(isEmoji(text)).toBe(false);
    },
  );

  it.each([undefined, null, 1, {}, ['👍']])('refuses %j, which is no text', (value) => {
    expect(isEmoji(value)).toBe(false);
  });
});
