import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { weaknessOf } from '../../src/util/weak-password.ts';
import { openHouse, PASSWORD } from './house.ts';

describe('a password that is tried first', () => {
  it.each([
    ...['password', 'Password', 'PASSWORD1', 'passw0rd', 'P@ssw0rd!', 'p4ssw0rd2024', 'passwordpassword'],
    ...['12345678', '87654321', '123456789012', '11111111', 'aaaaaaaa', 'abababab', 'aaaabbbb', '!!!!!!!!'],
    ...['        ', '\u00a0\u2003\u200b \t   ', '\u200b'.repeat(8), 'a       ', ' a b a b '],
    ...['qwertyui', 'qwertz123', 'asdfghjkl', 'azertyuiop', 'zxcvbnm,', '1q2w3e4r', '1qaz2wsx', 'poiuytrewq'],
    ...['abcdefgh', 'abcd1234', 'abcabcabc', '123abc123', 'q1w2e3r4', '!@#$%^&*', '147258369'],
    ...['anna1234', 'annaanna', 'anna-2024', '2024anna', 'Anna!!!!', 'annaanna1', 'anna4anna'],
    ...[
      'milena123',
      'Milena2026!',
      'iloveyou',
      'sunshine1',
      '$unshine1',
      'letmein!',
      'trustno1',
      'football99',
    ],
    ...['welcome2024', 'changeme', 'dragon12', 'superman', 'baseball', 'princess1', 'passwort', '1password'],
    ...[
      'p a s s w o r d',
      'p-a-s-s-w-o-r-d',
      'p.a.s.s.w.o.r.d',
      'p_a_s_s_w_o_r_d',
      'P A S S W O R D',
      'pass word',
    ],
    ...[
      'p  a  s  s  w  o  r  d',
      'p--a--s--s--w--o--r--d',
      'pa ss wo rd',
      'p-a.s_s,w/o:r;d',
      '- p a s s w o r d -',
    ],
    ...[
      'p @ s s w 0 r d',
      'p-@-s-s-w-0-r-d',
      'p!a!s!s!w!o!r!d',
      'p$a$s$s$w$o$r$d',
      'p+a+s+s+w+o+r+d1',
      'p\u200ba\u200bs\u200bs\u200bw\u200bo\u200br\u200bd',
    ],
    ...[
      'pxaxsxsxwxoxrxd',
      'p1a1s1s1w1o1r1d1',
      'p a s s w o r d 1 2',
      'p·a·s·s·w·o·r·d',
      'p😀a😀s😀s😀w😀o😀r😀d',
    ],
    ...[
      '1 2 3 4 5 6 7 8',
      '1-2-3-4-5-6',
      'q w e r t y u i',
      'a.b.c.d.e.f',
      'a-a-a-a-a-a',
      'i love you',
      'let me in!',
      'iloveyou',
    ],
    ...[
      'a n n a',
      'a-n-n-a-1',
      'a n n a 2 0 2 4',
      'A.N.N.A.!',
      'a.n.n.a.a.n.n.a',
      'd r o w s s a p',
      'm i l e n a 1',
    ],
  ])('is %j', async (password) => {
    expect(await weaknessOf(password, 'anna', 8)).toMatch(/^.{20,}\.$/);
  });

  it.each([
    ...['correct horse', 'battery staple', 'kiefer-93-ast', 'Xk9#mQ2v', 'anna likes tea', 'wir gehen heim'],
    ...['密码是一个很长的句子', 'пароль из слов', '8f3a9c21d7', 'a7-hub-lamp', 'staple7horse'],
    ...[
      'k#B!w$9%',
      'ab-kiefer-ast',
      'k-7-q-b-2-w-z',
      'x y z auf dem see',
      'kiefer ast see',
      'a1.b7!q-z_9',
      '§$k%/(=?)b',
    ],
    ...['rot-blau-gelb', 'mein.hund.bellt', 'tr0ub4dor&3x', 'anna;#k!9%'],
    `${'ü'.repeat(3)}äöxyz`,
  ])('is not %j', async (password) => expect(await weaknessOf(password, 'anna', 8)).toBeNull());

  it('is never one of random letters', async () => {
    for (let i = 0; i < 1_000; i++) {
      const password = randomBytes(9).toString('base64url');
      expect(await weaknessOf(password, 'anna', 8), password).toBeNull();
    }
  });

  it('is backwards the name, and for a short name the name alone', async () => {
    expect(await weaknessOf('dralreka', 'akerlard', 8)).not.toBeNull();
    expect(await weaknessOf('ab-kiefer-ast', 'ab', 8)).toBeNull();
  });

  it('is found in no time, however long and hostile', async () => {
    const hostile = ['a', 'ab', 'abcde', 'qwertyu', 'anna', 'annb', ' ', '1a', 'passwor', '\u0301', '@', 'ﷺ'];
    await weaknessOf(PASSWORD, 'anna', 8);
    const before = process.cpuUsage();
    for (const unit of hostile) await weaknessOf(unit.repeat(1_024 / unit.length), 'anna', 8);
    const { user } = process.cpuUsage(before);
    expect(user / hostile.length).toBeLessThan(20_000);
  });

  it('is refused with a sentence, for a new account and for a changed password', async () => {
    const house = await openHouse();
    const anna = await house.connect2();
    const weak = { type: 'create', username: 'anna', password: 'password' } as const;
    expect(await anna.expect('failure', weak)).toMatchObject({
      code: 'WEAK_PASSWORD',
      message: 'That password is one of those that are tried first: choose another one.',
    });
    await anna.create('anna', PASSWORD);
    expect(await anna.refusal({ type: 'password', old: PASSWORD, new: '        ' })).toBe('WEAK_PASSWORD');
  });
});
