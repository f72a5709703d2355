import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../shared/paths.js';
import { defaultPolicy } from '../../contract/unreachable-policy.js';

export type Template = 'hookvisor.service' | 'hookvisor.socket' | '50-scripts.conf' | 'unreachable' | 'hookvisor.yaml';

/** Seconds after which the client gives up, unless more is configured. */
export const clientDeadlineSeconds = defaultPolicy.deadlineMs / 1000;

/** Returns a file of packaging/ with its placeholders filled in. */
export function fillTemplate(name: Template, deadlineSeconds = clientDeadlineSeconds): Buffer {
  const values: Readonly<Record<string, string>> = {
    NODE: unitWord(process.execPath),
    MAIN: unitWord(join(packageRoot, 'dist', 'commands', 'main.js')),
    PACKAGE: packageRoot.replace(/\/$/u, '').replaceAll('%', '%%').replaceAll(' ', '%20'),
    DEADLINE: String(deadlineSeconds),
  };
  const text = readFileSync(join(packageRoot, 'packaging', name), 'utf8');
  return Buffer.from(text.replace(/@([A-Z]+)@/gu, (whole, key: string) => values[key] ?? whole));
}

/** Quotes one word of a command line in a unit, see systemd.service(5). */
function unitWord(path: string): string {
  const escaped = path.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /[\s"'\\;]/u.test(path) ? `"${escaped.replace(/["\\]/gu, '\\$&')}"` : escaped;
}
