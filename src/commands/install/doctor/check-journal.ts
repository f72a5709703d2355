import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../../../runtime/config/config.js';
import { HookvisorError, messageOf } from '../../../contract/errors.js';
import { lastEvents } from '../../../runtime/journal/read.js';
import { oneLine } from '../../../contract/text.js';
import { fail, ok, warn, type Finding } from './finding.js';

/** The part of an event that the checks use. */
export interface SeenEvent {
  readonly time: number;
  readonly driver: string;
}

const mebibyte = 1024 * 1024;
/** Number of recent events to read: enough to see each driver in use, few enough to be fast. */
const looked = 1_000;

/** Checks the folder of the journal, its free space, and the time of the last event. */
export async function checkJournal(config: Config, now: number): Promise<{ findings: Finding[]; events: SeenEvent[] }> {
  const check = 'journal';
  const dir = config.journal?.dir;
  if (dir === undefined)
    return { findings: [warn(check, 'the journal is disabled', "remove 'journal: false'")], events: [] };
  const findings: Finding[] = [];
  let folder = dir;
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    findings.push(ok(check, folder === dir ? `'${dir}' is writable` : `'${dir}' can be created`));
  } catch (error) {
    findings.push(fail(check, `'${dir}' is not writable: ${messageOf(error)}`, 'correct its owner or mount options'));
  }
  findings.push(spaceFinding(folder));
  if (folder !== dir) return { findings, events: [] };
  try {
    const found = await lastEvents(dir, { limit: looked, matches: () => true });
    const events = found.map(({ record }) => ({ time: record.time, driver: record.event.driver }));
    findings.push(clockFinding(events, now));
    return { findings, events };
  } catch (error) {
    findings.push(fail(check, oneLine(messageOf(error), 400), adviceFor(error)));
    return { findings, events: [] };
  }
}

function adviceFor(error: unknown): string {
  const remedy = error instanceof HookvisorError && error.code === 'untrusted' ? error.fields['remedy'] : null;
  return typeof remedy === 'string' ? remedy : "run 'hookvisor journal verify'";
}

function spaceFinding(folder: string): Finding {
  const { bavail, bsize, files, ffree } = statfsSync(folder);
  const free = Math.floor((bavail * bsize) / mebibyte);
  const found = `${free} MiB are free at '${folder}'`;
  const advice = 'free disk space: events that cannot be recorded are still answered, but lost to the journal';
  if (free < 1 || (files > 0 && ffree === 0)) return fail('space', found, advice);
  return free < 256 ? warn('space', found, advice) : ok('space', found);
}

function clockFinding(events: readonly SeenEvent[], now: number): Finding {
  const last = events.at(-1);
  if (last === undefined) return ok('clock', 'no event has been recorded yet');
  const at = new Date(last.time).toISOString();
  if (last.time > now + 60_000) {
    return warn(
      'clock',
      `the last event has a time in the future (${at})`,
      'correct the system clock; events in the journal keep their order',
    );
  }
  return ok('clock', `the last event was at ${at}`);
}
