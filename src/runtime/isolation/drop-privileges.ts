import { randomInt } from 'node:crypto';

/** A user that owns nothing, and in whose name other services run too. */
const nobody = 65_534;

const firstPrivate = 2_000_000_000;
const privateUsers = 100_000_000;

/** How root chooses the user of a process. */
export interface UserChoice {
  readonly users: 'own' | 'shared';
  readonly pick: () => number;
}

/**
 * Best first. A user that nothing else on the machine has, another for each process: none can then signal or trace
 * another, and its processes can be counted. No distribution and no part of systemd uses the range. A container
 * may have no users beyond the first 65536; there it is `nobody`.
 */
export const userChoices: readonly [UserChoice, UserChoice] = [
  { users: 'own', pick: () => firstPrivate + randomInt(privateUsers) },
  { users: 'shared', pick: () => nobody },
];

/** Inside a user namespace. */
export const unprivileged = nobody;

/** Arguments of setpriv that leave no capability and no way to one. */
export const withoutPrivileges = ['--inh-caps=-all', '--bounding-set=-all', '--no-new-privs'] as const;

/**
 * Arguments of setpriv that have the kernel kill the process with its parent. The kernel forgets that wish when the user
 * changes, so it takes a setpriv of its own, after the one that drops privileges.
 */
export const mortal = ['--pdeathsig', 'KILL', '--'] as const;

/** Arguments of setpriv that change the user for good. */
export function asUser(id: number): string[] {
  return [`--reuid=${id}`, `--regid=${id}`, '--clear-groups'];
}

export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}
