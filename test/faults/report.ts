import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { PROMISES, type PromiseName } from './checker.ts';
import type { Times } from './figures.ts';
import type { Outcome } from './play.ts';
import { ROWS } from './rows/index.ts';

const PAGE = fileURLToPath(new URL('../../docs/guarantees.md', import.meta.url));
const NAMES = Object.keys(PROMISES) as PromiseName[];

/** One row, for whoever waits for it. */
export function lineOf({ row, seconds, verdict, silence, back, complaints, seed, folder }: Outcome): string {
  const figures = [
    `${verdict.accepted} accepted = ${verdict.shown} shown + ${verdict.excused} excused`,
    `silence ${textOf(silence)}`,
    ...(back === null ? [] : [`back ${textOf(back)} (${back.count})`]),
    `${Math.round(seconds)} s`,
  ];
  const bad = complaints.slice(0, 8).map((complaint) => `\n    ${complaint}`);
  const where = bad.length === 0 ? '' : `\n    seed ${seed}, history in ${folder}`;
  return `${bad.length === 0 ? '✓' : '✗'} ${row}: ${figures.join('; ')}${bad.join('')}${where}`;
}

/** All rows together. */
export function summaryOf(outcomes: readonly Outcome[], seconds: number): string {
  const broken = NAMES.map(
    (name) => `${name} ${sum(outcomes, ({ verdict }) => verdict.broken[name].length)}`,
  );
  return [
    `${outcomes.length} rows, ${sum(outcomes, ({ faults }) => faults)} faults,`,
    `${sum(outcomes, ({ verdict }) => verdict.operations)} operations in ${seconds} s:`,
    `${sum(outcomes, ({ verdict }) => verdict.accepted)} accepted`,
    `= ${sum(outcomes, ({ verdict }) => verdict.shown)} shown`,
    `+ ${sum(outcomes, ({ verdict }) => verdict.excused)} excused;`,
    `${broken.join(', ')}; rows with complaints ${outcomes.filter(({ complaints }) => complaints.length > 0).length}`,
  ].join(' ');
}

export interface Figures {
  readonly outcomes: readonly Outcome[];
  readonly skipped: readonly string[];
  readonly seconds: number;
  readonly seed: number;
  readonly commit: string;
}

/** Puts the figures of a run between the markers of docs/guarantees.md. */
export function writeFigures({ outcomes, skipped, seconds, seed, commit }: Figures): void {
  const when = new Date().toISOString().slice(0, 16);
  const lines = [
    `${when}Z, ${commit}, seed ${seed}, ${availableParallelism()} cores, Node ${process.version}. ${summaryOf(outcomes, seconds)}.`,
    '',
    'Silence: the longest time that a sender (*inbox*: an inbox) had nothing accepted, the fault itself included; back: from the',
    'fault to being logged in again by the token. In ms, median / longest.',
    '',
    '| row | accepted | shown | excused | broken | silence | back |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...outcomes.map(tableLine),
    ...skipped.map((text) => `\nSkipped: ${text}.`),
  ];
  replaceBetween('figures', lines.join('\n'));
}

/** @param name of the markers, `<!-- name -->` and `<!-- /name -->`, a line each */
export function replaceBetween(name: string, text: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const [from, to] = [page.indexOf(begin) + begin.length, page.indexOf(end)];
  if (from < begin.length || to < from) throw new Error(`${PAGE} has no markers ${name}`);
  writeFileSync(PAGE, `${page.slice(0, from)}${text}\n${page.slice(to)}`);
}

function tableLine({ row, verdict, silence, back, complaints }: Outcome): string {
  const broken = complaints.length === 0 ? '0' : `**${complaints.length}**`;
  const whose = ROWS.find(({ name }) => name === row)?.by === 'to' ? ' *inbox*' : '';
  const { accepted, shown, excused } = verdict;
  return `| ${row} | ${accepted} | ${shown} | ${excused} | ${broken} | ${textOf(silence)}${whose} | ${textOf(back)} |`;
}

function textOf(times: Times | null): string {
  return times === null ? '–' : `${times.p50} / ${times.longest}`;
}

function sum(outcomes: readonly Outcome[], of: (outcome: Outcome) => number): number {
  return outcomes.reduce((total, outcome) => total + of(outcome), 0);
}
