import { onTestFinished } from 'vitest';
import type { JournalConfig } from '../../src/runtime/config/config.js';
import { defaultJournal } from '../../src/runtime/config/defaults.js';
import type { Verdict } from '../../src/contract/verdict.js';
import type { HookEvent } from '../../src/contract/event.js';
import type { JournalEntry } from '../../src/runtime/journal/entry.js';
import { type Journal, openJournal } from '../../src/runtime/journal/journal.js';
import type { JournaledEvent } from '../../src/runtime/journal/events.js';
import { readJournal } from '../../src/runtime/journal/read.js';
import { eventOf } from './handlers.js';

export interface EntryFields {
  readonly event?: Partial<HookEvent>;
  readonly document?: string | Buffer | null;
  readonly replacement?: string;
  readonly verdict?: Partial<Verdict>;
}

/** A decided event with everything filled in. */
export function entryOf({ event: fields, document = null, replacement, verdict }: EntryFields = {}): JournalEntry {
  const event = eventOf(fields);
  const { id, kind, name, event: operation, qualifier, extra, driver } = event;
  return {
    call: { event, document: typeof document === 'string' ? Buffer.from(document) : document },
    verdict: {
      verdict: 'allow',
      reason: null,
      effect: 'aborts',
      answered: 'allow',
      event: { id, kind, name, event: operation, qualifier, extra, driver },
      handlers: [],
      ...verdict,
    },
    replacement: replacement === undefined ? null : Buffer.from(replacement),
    identities: new Map(),
  };
}

export interface TestJournal {
  readonly journal: Journal;
  /** What the journal said to the administrator. */
  readonly said: string[];
  readonly config: JournalConfig;
}

/** Opens a journal that is closed when the test is over. */
export async function openTestJournal(dir: string, fields: Partial<JournalConfig> = {}): Promise<TestJournal> {
  const config = { ...defaultJournal, dir, ...fields };
  const said: string[] = [];
  const journal = await openJournal(config, (level, message) => said.push(`${level}: ${message}`));
  onTestFinished(async () => {
    await journal[Symbol.asyncDispose]();
  });
  return { journal, said, config };
}

/** All events of a journal. */
export async function eventsIn(dir: string): Promise<JournaledEvent[]> {
  const events: JournaledEvent[] = [];
  for await (const event of readJournal(dir)) events.push(event);
  return events;
}

/** The names of the objects whose events a journal has. */
export async function namesIn(dir: string): Promise<string[]> {
  return (await eventsIn(dir)).map(({ record }) => record.event.name);
}
