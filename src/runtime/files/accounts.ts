import { readFileSync } from 'node:fs';
import { HookvisorError } from '../../contract/errors.js';
import { shellQuote } from './shell-quote.js';

/** A line of passwd(5). */
export interface Account {
  readonly name: string;
  readonly uid: number;
  /** Primary group. */
  readonly gid: number;
  readonly home: string;
}

/** A line of group(5). */
export interface Group {
  readonly name: string;
  readonly gid: number;
  /** Names of the users with this supplementary group. */
  readonly members: readonly string[];
}

/** Returns the local accounts, or none without the file. Accounts of directory services are not included. */
export function readAccounts(): Account[] {
  return linesOf('/etc/passwd').map(([name = '', , uid, gid, , home = '']) => {
    return { name, uid: Number(uid), gid: Number(gid), home };
  });
}

/** Returns the local groups, with the same limitations as {@link readAccounts}. */
export function readGroups(): Group[] {
  return linesOf('/etc/group').map(([name = '', , gid, members = '']) => {
    return { name, gid: Number(gid), members: members.split(',').filter((member) => member !== '') };
  });
}

/** Returns the number of a local group. Throws HookvisorError `usage` when there is none of that name. */
export function groupId(name: string): number {
  const found = readGroups().find((group) => group.name === name);
  if (found !== undefined) return found.gid;
  throw new HookvisorError('usage', `there is no group '${name}'; run: groupadd --system ${shellQuote(name)}`, {
    fields: { group: name },
  });
}

function linesOf(file: string): string[][] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.map((line) => line.split(':')).filter((fields) => fields.length >= 4);
  } catch {
    return [];
  }
}
