import { readAccounts, readGroups } from './accounts.js';

/** The owners whose files a process may execute and trust: root and its own user. */
export interface TrustedOwner {
  /** The effective user of the process. */
  readonly uid: number;
  /** Tells whether this user is the only member of a group. */
  isOwnGroup(gid: number): boolean;
}

/** Returns the owner that this process trusts besides root. */
export function trustedOwner(
  uid: number = process.geteuid?.() ?? 0,
  gid: number = process.getegid?.() ?? 0,
): TrustedOwner {
  let own: boolean | null = null;
  return {
    uid,
    isOwnGroup: (group) => {
      // Root has none, not even group 0: with an access control list, the group bits apply to everybody in the list.
      if (uid === 0 || group !== gid) return false;
      own ??= isPrivateGroup(uid, gid);
      return own;
    },
  };
}

/**
 * Tells whether a group is the private group of a user. Debian and Fedora create one for each user, with a umask of 002,
 * so files of a fresh checkout are writable by it. Groups of directory services are in no file; equal IDs identify them.
 */
function isPrivateGroup(uid: number, gid: number): boolean {
  const group = readGroups().find((one) => one.gid === gid);
  if (group === undefined) return uid === gid;
  const accounts = readAccounts();
  const user = accounts.find((one) => one.uid === uid);
  const others = accounts.some((one) => one.gid === gid && one.uid !== uid);
  return user?.name === group.name && !others && group.members.every((member) => member === user.name);
}
