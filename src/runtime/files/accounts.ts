import { readFileSync } from 'node:fs';

/** A line of passwd(5). */
export interface Account {
  readonly name: string;
  readonly uid: number;
  /** Its primary group. */
  readonly gid: number;
  readonly home: string;
}

/** A line of group(5). */
export interface Group {
  readonly name: string;
  readonly gid: number;
  /** Names of those for whom it is a supplementary group. */
  readonly members: readonly string[];
}

/** Returns the local accounts. Those of a directory service are unknown here; without the file there are none. */
export function readAccounts(): Account[] {
  return linesOf('/etc/passwd').map(([name = '', , uid, gid, , home = '']) => {
    return { name, uid: Number(uid), gid: Number(gid), home };
  });
}

/** Returns the local groups, as {@link readAccounts} does the accounts. */
export function readGroups(): Group[] {
  return linesOf('/etc/group').map(([name = '', , gid, members = '']) => {
    return { name, gid: Number(gid), members: members.split(',').filter((member) => member !== '') };
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
