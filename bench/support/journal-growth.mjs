// @ts-check
import { mkdir } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { openJournal } from '../../dist/runtime/journal/journal.js';
import { rowOf } from './calls.mjs';
import { folderBytes } from './sizes.mjs';

const million = 1_000_000;

/**
 * Writes a journal of `count` events, each with its own document, and extrapolates to a million.
 * @param {import('./stage.mjs').Stage} stage
 * @param {number} count
 * @returns {Promise<import('./report.mjs').Row[]>}
 */
export async function journalGrowth(stage, count) {
  const dir = stage.path('growing-journal');
  await mkdir(dir, { mode: 0o700 });
  const gib = 1_024 ** 3;
  const config = {
    dir,
    redact: true,
    segmentBytes: 64 * 1_048_576,
    maxBytes: 100 * gib,
    maxAgeMs: 1e10,
    readers: null,
  };
  const open = () => openJournal({ ...config, sync: 'interval' }, () => undefined);
  const journal = await open();
  const xml = readFileSync(stage.document, 'utf8');
  /** @type {number[]} */
  const us = [];
  for (let at = 0; at < count; at += 1) {
    // A host has a few hundred guests, whose documents recur.
    const document = Buffer.from(xml.replace('tiny', `guest-${at % 500}`));
    const began = performance.now();
    await journal.append({ ...entryOf(at), call: { event: eventOf(at), document } });
    us.push((performance.now() - began) * 1_000);
    if (at % 5_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await journal[Symbol.asyncDispose]();
  const bytes = await folderBytes(dir);
  const began = performance.now();
  const again = await open();
  const openMs = performance.now() - began;
  await again[Symbol.asyncDispose]();
  const tenth = Math.ceil(count / 10);
  return [
    rowOf('journal, the first tenth', { us: us.slice(0, tenth), failed: 0 }),
    rowOf('journal, the last tenth', { us: us.slice(-tenth), failed: 0 }),
    { name: `journal, a million events (from ${count})`, value: ((bytes / count) * million) / 1e6, unit: 'MB' },
    { name: `journal, opened after ${count} events`, value: openMs, unit: 'ms' },
  ];
}

/** @param {number} at */
function eventOf(at) {
  const fields = { kind: 'domain', name: `guest-${at % 500}`, event: 'prepare', qualifier: 'begin', extra: null };
  return {
    ...fields,
    id: `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`,
    time: at,
    driver: 'qemu',
    uuid: null,
  };
}

/** @param {number} at */
function entryOf(at) {
  const { id, kind, name, event, qualifier, extra, driver } = eventOf(at);
  /** @type {import('../../dist/contract/verdict.js').Verdict} */
  const verdict = {
    verdict: 'allow',
    reason: null,
    effect: 'aborts',
    answered: 'allow',
    event: { id, kind, name, event, qualifier, extra, driver },
    handlers: [
      {
        handler: 'naming',
        backend: 'component',
        mode: 'enforce',
        outcome: 'allow',
        reason: null,
        failure: null,
        fuel: 1_677,
        durationUs: 85,
        logs: [],
      },
    ],
  };
  return { verdict, replacement: null, identities: new Map() };
}
