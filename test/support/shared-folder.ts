import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { temporaryFolder } from './temp.js';

/** Why there is no other user here; null when there is. */
export const noOtherUser = process.getuid?.() === 0 ? null : 'needs root, to act as another user';

/** `nobody` of Debian. */
export const otherUid = 65534;

/** Runs a shell script as another user, for real. */
export function asOtherUser(script: string, cwd = '/'): void {
  execFileSync('/bin/sh', ['-ec', script], { uid: otherUid, gid: otherUid, cwd, env: {}, stdio: 'pipe' });
}

/** A folder where everybody may do what they want, as in /tmp. It is gone when the test is over. */
export function sharedFolder(): string {
  const dir = temporaryFolder();
  chmodSync(dir, 0o1777);
  return dir;
}
