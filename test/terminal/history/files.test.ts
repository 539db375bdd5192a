import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { HistoryError } from '../../../src/terminal/history/errors.ts';
import { fileName, serverOf } from '../../../src/terminal/history/files.ts';
import { migrate, SCHEMA_VERSION } from '../../../src/terminal/history/schema.ts';
import { BOB, bodies, newDirectory, open, receive, SERVER } from './harness.ts';

const FILE = fileName(SERVER, 'maria');
const isRoot = process.getuid?.() === 0;

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

/** The sentence with which a history refuses to be opened. */
function refusal(directory: string): string {
  try {
    open(directory);
  } catch (error) {
    if (error instanceof HistoryError) return error.message;
    throw error;
  }
  throw new Error('it was opened');
}

describe('file names', () => {
  test('another one for each account and server, and nothing in them means anything', () => {
    expect(fileName('127.0.0.1:8080', 'maria')).toBe('maria@127.0.0.1%3a8080.db');
    expect(fileName('[::1]:8080', 'maria')).toBe('maria@%5b%3a%3a1%5d%3a8080.db');
    expect(fileName('Host:1', 'Maria')).toBe(fileName('host:1', 'maria'));
    const odd = ['../../etc/passwd', '..', '/', '\0', 'a b', '%2f', '@', 'ü', '-rf', '', 'a@b', '\n'];
    const names = odd.flatMap((server) => odd.map((account) => fileName(server, account)));
    expect(new Set(names).size).toBe(odd.length ** 2);
    for (const name of names) expect(name).toMatch(/^[a-z0-9._%-]*@[a-z0-9._%-]*\.db$/);
  });

  test('long ones are cut and still told apart', () => {
    const [one, other] = [fileName('h'.repeat(300), 'a'), fileName('h'.repeat(301), 'a')];
    expect(one.length).toBeLessThan(220);
    expect(one).not.toBe(other);
  });
});

describe('rights', () => {
  test('directory and files are for the owner alone, whatever the umask', () => {
    const directory = join(newDirectory(), 'a', 'b');
    const umask = process.umask(0);
    try {
      const history = open(directory);
      receive(history, BOB, 'x');
      history.commit();
    } finally {
      process.umask(umask);
    }
    expect(modeOf(directory)).toBe('700');
    expect(readdirSync(directory).toSorted()).toEqual([FILE, `${FILE}-shm`, `${FILE}-wal`]);
    for (const name of readdirSync(directory))
      expect([name, modeOf(join(directory, name))]).toEqual([name, '600']);
  });

  test('a file that is there loses wider rights, and so does what SQLite keeps beside it', () => {
    const directory = newDirectory();
    const path = join(directory, FILE);
    const before = open(directory);
    receive(before, BOB, 'x');
    before.commit();
    for (const suffix of ['', '-wal', '-shm']) chmodSync(`${path}${suffix}`, 0o666);
    const history = open(directory);
    for (const suffix of ['', '-wal', '-shm']) expect(modeOf(`${path}${suffix}`)).toBe('600');
    expect(bodies(history.all(BOB))).toEqual(['x']);
  });

  test('a directory in which others may write is refused, and left as it is', () => {
    const directory = newDirectory();
    chmodSync(directory, 0o777);
    expect(refusal(directory)).toMatch(/^Others may write in the directory .* Forbid it \(chmod go-w\)/);
    expect(modeOf(directory)).toBe('777');
    chmodSync(directory, 0o755);
    open(directory);
    expect(modeOf(directory)).toBe('755');
  });

  test.skipIf(isRoot)('no permission', () => {
    const directory = newDirectory();
    chmodSync(directory, 0o500);
    expect(refusal(directory)).toContain('may not be read and written. Give yourself the rights');
    chmodSync(directory, 0o700);
    open(directory).close();
  });

  test('a place where nobody may write', () => {
    expect(refusal('/sys/milena')).toMatch(/^The history in \/sys\/milena /);
  });
});

describe('what else may be there', () => {
  test('a file for the directory', () => {
    const path = join(newDirectory(), 'x');
    writeFileSync(path, '');
    for (const directory of [path, join(path, 'deeper')]) {
      expect(refusal(directory)).toMatch(/is to be a directory .* Name another directory\.$/);
    }
  });

  test.each(['', '-wal', '-shm'])(
    'a symbolic link as the file%s: what it points to stays as it is',
    (suffix) => {
      const [directory, elsewhere] = [newDirectory(), join(newDirectory(), 'victim')];
      writeFileSync(elsewhere, 'precious', { mode: 0o644 });
      symlinkSync(elsewhere, join(directory, `${FILE}${suffix}`));
      expect(refusal(directory)).toMatch(/is not a plain file\. Move it away\.$/);
      expect([statSync(elsewhere).size, modeOf(elsewhere)]).toEqual([8, '644']);
    },
  );

  test('a symbolic link to nothing does not make a file there', () => {
    const [directory, elsewhere] = [newDirectory(), newDirectory()];
    symlinkSync(join(elsewhere, 'new'), join(directory, FILE));
    expect(refusal(directory)).toContain('is not a plain file');
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test('a directory as the file', () => {
    const directory = newDirectory();
    mkdirSync(join(directory, FILE));
    expect(refusal(directory)).toContain('is not a plain file');
  });

  test('an empty file becomes a history', () => {
    const directory = newDirectory();
    writeFileSync(join(directory, FILE), '');
    expect(open(directory).conversations()).toEqual([]);
  });

  test('no database', () => {
    const directory = newDirectory();
    writeFileSync(join(directory, FILE), 'something else'.repeat(1_000));
    expect(refusal(directory)).toMatch(/ is damaged\. Move it away, .* to begin a new one\.$/);
  });

  test("another program's database is not touched", () => {
    const directory = newDirectory();
    const db = new DatabaseSync(join(directory, FILE));
    db.exec('CREATE TABLE theirs (x)');
    expect(refusal(directory)).toContain('is a database of another program. Move it away.');
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'delete' });
    db.close();
  });

  test('the history of a newer version', () => {
    const directory = newDirectory();
    open(directory).close();
    const db = new DatabaseSync(join(directory, FILE));
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    db.close();
    expect(refusal(directory)).toMatch(/written by a newer Milena .* Update this one\.$/);
  });

  test('the history of an older version is taken over: what was muted, and the order', () => {
    const directory = newDirectory();
    const path = join(directory, fileName(SERVER, 'maria'));
    const db = new DatabaseSync(path);
    migrate(db, path, 3);
    db.exec(`
      INSERT INTO conversations (id, kind, name, messages, last_id, last_at, unread, first_unread, muted, draft) VALUES
        (1, 'user', 'bob', 1, 1, 9000, 1, 1, 1, ''), (2, 'user', 'carol', 1, 2, 1000, 0, NULL, 0, ''),
        (3, 'user', 'dave', 0, 0, 500, 0, NULL, 0, 'half');
      INSERT INTO messages (id, conversation, at, body) VALUES (1, 1, 1, 'maria?'), (2, 2, 2, 'two')`);
    db.close();
    const history = open(directory);
    expect(history.conversations().map(({ peer, notify, unread }) => [peer.name, notify, unread])).toEqual([
      ['dave', 'all', 0],
      ['carol', 'all', 0],
      ['bob', 'nothing', 1],
    ]);
    expect(history.before(BOB, null, 9)).toMatchObject([{ body: 'maria?', highlight: false }]);
  });

  test('a migration that fails leaves nothing behind', () => {
    const path = join(newDirectory(), FILE);
    const db = new DatabaseSync(path);
    // The first tables fit, the last ones do not.
    db.exec('PRAGMA max_page_count = 12');
    expect(() => migrate(db, path)).toThrow('full');
    expect(db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()).toEqual({ tables: 0 });
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 0 });
    db.exec('PRAGMA max_page_count = 1000');
    migrate(db, path);
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: SCHEMA_VERSION });
    db.close();
  });
});

describe('a list of servers', () => {
  const LIST = ['a.example:1', 'b.example:2', '[::1]:3'];

  test('has the history of the first of them that has one, and else of the first', () => {
    const directory = newDirectory();
    expect(serverOf(directory, LIST, 'anna')).toBe('a.example:1');
    expect(serverOf(null, LIST, 'anna')).toBe('a.example:1');
    open(directory, { server: '[::1]:3', account: 'anna' });
    open(directory, { server: 'elsewhere:1', account: 'anna' });
    expect(serverOf(directory, LIST, 'anna')).toBe('[::1]:3');
    expect(serverOf(directory, LIST.toReversed(), 'anna')).toBe('[::1]:3');
    expect(serverOf(directory, LIST, 'bert')).toBe('a.example:1');
    open(directory, { server: 'b.example:2', account: 'anna' });
    expect(serverOf(directory, LIST, 'anna')).toBe('b.example:2');
  });
});
