import { spawnSync } from 'node:child_process';

/** A user without an account, and its private group. */
export const otherUser = 54_321;

/** Why this process cannot act as another user; null when it can. */
export const noOtherUser = process.getuid?.() === 0 ? null : 'only root can make files of another user, or act as one';

/** Runs a Node program, given as text, as another user; throws with what it said when it fails. */
export function asOtherUser(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program, ...args], {
    ...{ uid: otherUser, gid: otherUser, cwd: '/', env: {}, encoding: 'utf8', timeout: 20_000 },
  });
  if (status !== 0) throw new Error(`the other user could not do it: ${stderr}`);
}
