/** The checker of the fault rows: a good history passes, and each kind of broken promise is found, by its own name. */
import { describe, expect, it } from 'vitest';
import { check, type PromiseName, type Verdict } from './checker.ts';
import { returns, silences } from './figures.ts';
import { type HistoryEvent, letterOf, textOf } from './history.ts';

/** Writes histories; each event is a millisecond later than the one before. */
class Story {
  readonly events: HistoryEvent[] = [];
  #at = 0;

  add(...happenings: readonly (HistoryEvent extends infer Event ? Without<Event> : never)[]): this {
    for (const happening of happenings) {
      this.#at += 1_000;
      this.events.push({ at: this.#at, ...happening } as HistoryEvent);
    }
    return this;
  }

  pass(milliseconds: number): this {
    this.#at += milliseconds * 1_000;
    return this;
  }

  enter(person: string, client: string, how: 'create' | 'plain' | 'takeover' | 'token', life = 1): this {
    const asked = this.#at + 500;
    return this.add({ kind: 'login', person, life, client, how, asked, undelivered: null });
  }

  send(from: string, to: string, n: number): this {
    return this.add({ kind: 'sent', from, to, n }, { kind: 'accepted', from, to, n });
  }

  show(client: string, person: string, from: string, n: number, more: Partial<Shown> = {}): this {
    const text = textOf({ from, to: person, n });
    const shown = { kind: 'shown', client, person, life: 1, sender: from, text, inbox: 'i', isPushed: true };
    return this.add({ ...shown, ...more } as Shown);
  }

  ack(client: string, from: string, to: string, n: number): this {
    return this.add({ kind: 'acked', client, from, to, n });
  }

  fate(from: string, to: string, n: number, fate: 'delivered' | 'undeliverable' | 'unknown'): this {
    return this.add({ kind: 'fate', from, to, n, fate });
  }

  judge(graceMs = 1_000): Verdict {
    return check(this.events, { graceMs });
  }

  /** The promises that were broken, and how often. */
  broken(graceMs?: number): Partial<Record<PromiseName, number>> {
    const found = Object.entries(this.judge(graceMs).broken).filter(([, list]) => list.length > 0);
    return Object.fromEntries(found.map(([name, list]) => [name, list.length]));
  }
}

type Without<Event> = Event extends { readonly at: number } ? Omit<Event, 'at'> : never;
type Shown = Without<Extract<HistoryEvent, { readonly kind: 'shown' }>>;

/** Anna has sent bert two messages, and he has them. */
function good(): Story {
  return new Story()
    .enter('anna', 'anna/1', 'create')
    .enter('bert', 'bert/1', 'create')
    .send('anna', 'bert', 1)
    .send('anna', 'bert', 2)
    .show('bert/1', 'bert', 'anna', 1)
    .ack('bert/1', 'anna', 'bert', 1)
    .fate('anna', 'bert', 1, 'delivered')
    .show('bert/1', 'bert', 'anna', 2)
    .ack('bert/1', 'anna', 'bert', 2);
}

it('passes what is good, and counts it', () => {
  const verdict = good().judge();
  expect(Object.values(verdict.broken).flat()).toEqual([]);
  expect(verdict).toMatchObject({
    accepted: 2,
    shown: 2,
    unanswered: 0,
    excused: 0,
    external: 0,
    operations: 6,
  });
});

describe('finds a message that is', () => {
  it('lost', () => {
    expect(good().send('anna', 'bert', 3).broken()).toEqual({ lost: 1 });
    // To be shown as somebody's who is not vouched for is not to be shown.
    const external = good().send('anna', 'bert', 3).show('bert/1', 'bert', 'anna', 3, { sender: null });
    expect(external.broken()).toEqual({ lost: 1 });
  });

  it('doubled', () => {
    expect(good().show('bert/1', 'bert', 'anna', 2).broken()).toEqual({ doubled: 1 });
    expect(good().show('bert/1', 'bert', 'anna', 2, { inbox: 'j' }).broken()).toEqual({ doubled: 1 });
    const again = good().add({ kind: 'forgotten', person: 'bert', what: 'records' });
    expect(again.show('bert/1', 'bert', 'anna', 2, { inbox: 'j' }).broken()).toEqual({});
  });

  it('reordered', () => {
    const story = good().send('anna', 'bert', 3).send('anna', 'bert', 4);
    expect(story.show('bert/1', 'bert', 'anna', 4).show('bert/1', 'bert', 'anna', 3).broken()).toEqual({
      reordered: 1,
    });
  });

  it('shown to somebody else, or as from somebody else', () => {
    const text = textOf({ from: 'anna', to: 'bert', n: 1 });
    const elsewhere = good().enter('carl', 'carl/1', 'create').show('carl/1', 'carl', 'anna', 1, { text });
    expect(elsewhere.broken()).toEqual({ wrong: 1 });
    expect(good().show('bert/1', 'bert', 'anna', 2, { sender: 'carl' }).broken()).toEqual({ wrong: 1 });
    expect(good().show('bert/1', 'bert', 'anna', 7).broken()).toEqual({ wrong: 1 });
    expect(
      good()
        .show('bert/1', 'bert', 'anna', 2, { text: `${text}!` })
        .broken(),
    ).toEqual({ wrong: 1 });
  });

  it('shown to a later owner of the name', () => {
    const story = good()
      .send('anna', 'bert', 3)
      .add({ kind: 'deleting', person: 'bert', life: 1 }, { kind: 'deleted', person: 'bert', life: 1 })
      .enter('bert', 'bert/2', 'create', 2)
      .show('bert/2', 'bert', 'anna', 3, { life: 2 });
    expect(story.broken()).toEqual({ wrong: 1 });
  });

  it('pushed to whoever was superseded', () => {
    const taken = (how: 'plain' | 'takeover') =>
      good().enter('bert', 'bert/2', how).send('anna', 'bert', 3).pass(500);
    const shownTo = (story: Story, client: string) => story.show(client, 'bert', 'anna', 3);
    expect(shownTo(taken('plain'), 'bert/2').broken()).toEqual({});
    expect(shownTo(taken('plain'), 'bert/1').broken()).toEqual({ heldTwice: 1 });
    expect(shownTo(taken('takeover'), 'bert/1').broken()).toEqual({});
    expect(shownTo(taken('takeover'), 'bert/1').judge().superseded).toBe(503);
    expect(shownTo(taken('takeover'), 'bert/1').broken(0)).toEqual({ heldTwice: 1 });
    // Who has taken it back may have it.
    const back = taken('takeover').enter('bert', 'bert/1', 'token').pass(9_000);
    expect(shownTo(back, 'bert/1').broken(0)).toEqual({});
  });

  it('called delivered, and is not', () => {
    const story = good().send('anna', 'bert', 3).fate('anna', 'bert', 3, 'delivered');
    const late = story.show('bert/1', 'bert', 'anna', 3).ack('bert/1', 'anna', 'bert', 3);
    expect(late.broken()).toEqual({ falselyDelivered: 1 });
  });

  it('called delivered on the word of whoever was superseded', () => {
    const taken = () => good().send('anna', 'bert', 3).show('bert/1', 'bert', 'anna', 3);
    const story = taken().enter('bert', 'bert/2', 'takeover').ack('bert/1', 'anna', 'bert', 3);
    story.fate('anna', 'bert', 3, 'delivered');
    expect(story.broken(0)).toEqual({ falselyDelivered: 1 });
    expect(story.broken()).toEqual({});
    const before = taken().ack('bert/1', 'anna', 'bert', 3).enter('bert', 'bert/2', 'takeover');
    expect(before.fate('anna', 'bert', 3, 'delivered').broken(0)).toEqual({});
  });

  it('called delivered, and comes again', () => {
    const again = (story: Story) => story.enter('bert', 'bert/2', 'plain').show('bert/2', 'bert', 'anna', 1);
    expect(again(good()).broken()).toEqual({ cameAgain: 1 });
    const killed = check(again(good()).events, { graceMs: 0, mayComeAgain: true });
    expect(killed.broken.cameAgain).toEqual([]);
    const reset = good().add({ kind: 'forgotten', person: 'bert', what: 'position' });
    expect(again(reset).broken()).toEqual({});
    // Nobody was told of the second one.
    const second = good().enter('bert', 'bert/2', 'plain').show('bert/2', 'bert', 'anna', 2);
    expect(second.broken()).toEqual({});
  });

  it('called undeliverable without a reason', () => {
    expect(good().fate('anna', 'bert', 2, 'undeliverable').broken()).toEqual({ falselyGone: 1 });
    expect(good().fate('anna', 'bert', 2, 'unknown').broken()).toEqual({});
  });
});

describe('of several devices', () => {
  /** Bert has a phone as well, from behind the second message on. */
  const both = () =>
    good().enter('bert', 'bert.phone/1', 'plain').send('anna', 'bert', 3).show('bert/1', 'bert', 'anna', 3);

  it('each has to show what was sent since it is there', () => {
    expect(both().broken()).toEqual({ lost: 1 });
    expect(both().judge().broken.lost).toEqual(['anna bert 3 at bert.phone']);
    expect(both().show('bert.phone/1', 'bert', 'anna', 3).broken()).toEqual({});
  });

  it('each has it once, and is in no other one’s way', () => {
    const story = both().show('bert.phone/1', 'bert', 'anna', 3);
    expect(story.show('bert.phone/1', 'bert', 'anna', 3).broken()).toEqual({ doubled: 1 });
    const first = both().show('bert.phone/1', 'bert', 'anna', 3).send('anna', 'bert', 4);
    const all = first.show('bert/1', 'bert', 'anna', 4).show('bert.phone/1', 'bert', 'anna', 4);
    expect(all.broken(0)).toEqual({});
    // It is delivered by one, and comes to the other.
    const late = both().ack('bert/1', 'anna', 'bert', 3).fate('anna', 'bert', 3, 'delivered');
    const back = late.enter('bert', 'bert.phone/2', 'plain').show('bert.phone/2', 'bert', 'anna', 3);
    expect(back.broken()).toEqual({});
  });
});

describe('in a room', () => {
  const room = '#r';
  const move = (story: Story, kind: 'joined' | 'left', person: string) =>
    story.add({ kind, room, person, asked: (story.events.at(-1)?.at ?? 0) + 500 });
  /** Anna and bert are in it, carl is not. */
  const together = () => {
    const story = good().enter('carl', 'carl/1', 'create');
    return move(move(story, 'joined', 'anna'), 'joined', 'bert').send('anna', room, 1);
  };
  const heard = (story: Story, person: string, n = 1) =>
    story.show(`${person}/1`, person, 'anna', n, { text: textOf({ from: 'anna', to: room, n }) });

  it('everybody who is in it has to show it, once and in order', () => {
    expect(heard(together(), 'anna').broken()).toEqual({ lost: 1 });
    const both = () => heard(heard(together(), 'anna'), 'bert');
    expect(both().broken()).toEqual({});
    expect(heard(both(), 'bert').broken()).toEqual({ doubled: 1 });
    const two = heard(heard(both().send('anna', room, 2).send('anna', room, 3), 'anna', 2), 'anna', 3);
    expect(heard(heard(two, 'bert', 3), 'bert', 2).broken()).toEqual({ reordered: 1 });
  });

  it('nobody else may show it, and who comes or goes meanwhile may or may not', () => {
    const both = () => heard(heard(together(), 'anna'), 'bert');
    expect(heard(both(), 'carl').broken()).toEqual({ wrong: 1 });
    const gone = () => heard(move(both(), 'left', 'bert').send('anna', room, 2), 'anna', 2);
    expect(gone().broken()).toEqual({});
    expect(heard(gone(), 'bert', 2).broken()).toEqual({ wrong: 1 });
    const going = both().add({ kind: 'sent', from: 'anna', to: room, n: 2 });
    const left = move(going, 'left', 'bert').add({ kind: 'accepted', from: 'anna', to: room, n: 2 });
    expect(heard(left, 'anna', 2).broken()).toEqual({});
    expect(heard(left, 'bert', 2).broken()).toEqual({});
  });
});

describe('excuses', () => {
  it('what was accepted for an account that was deleted then, and nothing later', () => {
    const deleted = good()
      .send('anna', 'bert', 3)
      .add({ kind: 'deleting', person: 'bert', life: 1 }, { kind: 'deleted', person: 'bert', life: 1 })
      .fate('anna', 'bert', 3, 'undeliverable');
    expect(deleted.broken()).toEqual({});
    expect(deleted.judge()).toMatchObject({ excused: 1 });
    expect(deleted.send('anna', 'bert', 4).broken()).toEqual({ lost: 1 });
  });

  it('what Kafka was made to lose, and nothing later', () => {
    const story = good().send('anna', 'bert', 3).add({ kind: 'forgotten', person: 'bert', what: 'records' });
    expect(story.broken()).toEqual({});
    expect(story.send('anna', 'bert', 4).broken()).toEqual({ lost: 1 });
    const position = good()
      .send('anna', 'bert', 3)
      .add({ kind: 'forgotten', person: 'bert', what: 'position' });
    expect(position.broken()).toEqual({ lost: 1 });
  });
});

it('counts what was never answered', () => {
  const story = good().add({ kind: 'sent', from: 'anna', to: 'bert', n: 3 });
  expect(story.judge().unanswered).toBe(1);
  const refused = {
    kind: 'refused',
    from: 'anna',
    to: 'bert',
    n: 3,
    code: 'ABORTED',
    isSure: false,
  } as const;
  expect(story.add(refused).judge().unanswered).toBe(0);
});

it('reads in a text what it says, and nothing in any other', () => {
  const letter = { from: 'anna', to: 'bert', n: 70 };
  expect(letterOf(textOf(letter))).toEqual(letter);
  for (const text of ['', 'anna bert 70', `${textOf(letter)} `, textOf(letter).replace('70', '71')])
    expect(letterOf(text)).toBeUndefined();
});

it('measures how long nothing was accepted, and how long people were away', () => {
  const story = new Story().enter('anna', 'anna/1', 'create').send('anna', 'bert', 1).send('carl', 'bert', 1);
  story.pass(97).add({ kind: 'fault', name: 'f' }, { kind: 'cut', client: 'anna/1' });
  story.pass(300).enter('anna', 'anna/1', 'token').send('anna', 'bert', 2);
  story.pass(98).send('carl', 'bert', 2).pass(900);
  expect(silences(story.events, 'from')).toEqual({ p50: 404, longest: 404, count: 2 });
  expect(silences(story.events, 'to')).toEqual({ p50: 304, longest: 304, count: 1 });
  expect(returns(story.events)).toEqual({ p50: 302, longest: 302, count: 1 });
});
