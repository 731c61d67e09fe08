import { describe, expect, it } from 'vitest';
import { ChangeMarks } from './change-marks.js';
import { sightOf, type Relation } from './visibility.js';

const stranger: Relation = {
  isBlocked: false,
  isAccepted: false,
  privacy: { online: 'contacts', lastSeen: 'contacts' },
};
const seen = (relation: Partial<Relation>): [boolean, boolean] => {
  const { online, lastSeen } = sightOf({ ...stranger, ...relation });
  return [online, lastSeen];
};

describe('what one user may see of another', () => {
  it('is nothing for a stranger, and all for whom the user has accepted', () => {
    expect(seen({})).toEqual([false, false]);
    expect(seen({ isAccepted: true })).toEqual([true, true]);
  });

  it('follows each setting of its own', () => {
    expect(seen({ privacy: { online: 'everyone', lastSeen: 'contacts' } })).toEqual([true, false]);
    expect(seen({ privacy: { online: 'everyone', lastSeen: 'everyone' } })).toEqual([true, true]);
    expect(seen({ isAccepted: true, privacy: { online: 'contacts', lastSeen: 'nobody' } })).toEqual([true, false]);
  });

  it('never is the time he went without whether he is there', () => {
    expect(seen({ isAccepted: true, privacy: { online: 'nobody', lastSeen: 'everyone' } })).toEqual([false, false]);
  });

  it('is nothing where one blocks the other, whatever else', () => {
    const all = { online: 'everyone', lastSeen: 'everyone' } as const;
    expect(sightOf({ isBlocked: true, isAccepted: true, privacy: all })).toEqual({
      online: false,
      lastSeen: false,
      isBlocked: true,
    });
  });
});

describe('marks of change', () => {
  it('outdate what was read before or while something changed, for those it concerns', () => {
    const marks = new ChangeMarks();
    const step = marks.present;
    expect(marks.areUnchangedSince(step, 'alice', 'bob')).toBe(true);
    marks.touch('alice');
    expect(marks.areUnchangedSince(step, 'bob')).toBe(true);
    expect(marks.areUnchangedSince(step, 'bob', 'alice')).toBe(false);
    expect(marks.areUnchangedSince(marks.present, 'alice')).toBe(true);
    marks.touchAll();
    expect(marks.areUnchangedSince(step, 'bob')).toBe(false);
  });

  it('outdate too much rather than too little once there are too many', () => {
    const marks = new ChangeMarks();
    const step = marks.present;
    for (let i = 0; i <= 100_000; i++) marks.touch(`user-${i}`);
    expect(marks.areUnchangedSince(step, 'user-0')).toBe(false);
    expect(marks.areUnchangedSince(marks.present, 'user-0')).toBe(true);
  });
});
