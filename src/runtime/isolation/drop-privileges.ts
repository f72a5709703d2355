import { randomInt } from 'node:crypto';

/** A user that owns nothing, but is shared with other services. */
const nobody = 65_534;

const firstPrivate = 2_000_000_000;
const privateUsers = 100_000_000;

/** How root selects the user of a process. */
export interface UserChoice {
  readonly users: 'own' | 'shared';
  readonly pick: () => number;
}

/**
 * Best first. A separate user for each process prevents them from signalling or tracing each other, and lets the kernel
 * limit the number of its processes. Neither distributions nor systemd use this range. A container may only have the
 * first 65536 users; the fallback is `nobody`.
 */
export const userChoices: readonly [UserChoice, UserChoice] = [
  { users: 'own', pick: () => firstPrivate + randomInt(privateUsers) },
  { users: 'shared', pick: () => nobody },
];

/** The user inside a user namespace. */
export const unprivileged = nobody;

/** Arguments of setpriv that drop all capabilities and prevent new ones. */
export const withoutPrivileges = ['--inh-caps=-all', '--bounding-set=-all', '--no-new-privs'] as const;

/**
 * Arguments of setpriv that make the kernel kill the process when its parent dies. The kernel clears this setting when
 * the user changes, so it needs a second setpriv after the one that drops privileges.
 */
export const mortal = ['--pdeathsig', 'KILL', '--'] as const;

/** Returns arguments of setpriv that change the user irrevocably. */
export function asUser(id: number): string[] {
  return [`--reuid=${id}`, `--regid=${id}`, '--clear-groups'];
}

export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}
