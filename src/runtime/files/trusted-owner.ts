import { readAccounts, readGroups } from './accounts.js';

/** Whose files a process may execute and believe: root's, and its own user's. */
export interface TrustedOwner {
  /** The process' effective user. */
  readonly uid: number;
  /** Whether nobody but this user belongs to a group. */
  isOwnGroup(gid: number): boolean;
}

/** Returns the owner that this process trusts beside root. */
export function trustedOwner(
  uid: number = process.geteuid?.() ?? 0,
  gid: number = process.getegid?.() ?? 0,
): TrustedOwner {
  let own: boolean | null = null;
  return {
    uid,
    isOwnGroup: (group) => {
      // Root has none, not even group 0: with an access control list the group's bits are those of everybody in the list.
      if (uid === 0 || group !== gid) return false;
      own ??= isPrivateGroup(uid, gid);
      return own;
    },
  };
}

/**
 * Whether a group is a user's own, as Debian and Fedora make one for each user, with a umask of 002: files of a fresh
 * checkout are writable by it. A directory service's group is in no file; of those, equal numbers tell.
 */
function isPrivateGroup(uid: number, gid: number): boolean {
  const group = readGroups().find((one) => one.gid === gid);
  if (group === undefined) return uid === gid;
  const accounts = readAccounts();
  const user = accounts.find((one) => one.uid === uid);
  const others = accounts.some((one) => one.gid === gid && one.uid !== uid);
  return user?.name === group.name && !others && group.members.every((member) => member === user.name);
}
