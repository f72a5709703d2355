import { Buffer, isUtf8 } from 'node:buffer';

/** What `/etc/hookvisor/unreachable` says: what the hook client does while it cannot reach the runtime. */
export interface UnreachablePolicy {
  readonly action: 'deny' | 'allow' | 'script';
  /** The absolute path of the script; empty unless `action` is `script`. */
  readonly script: string;
  /** How long the client waits for the runtime, milliseconds. */
  readonly deadlineMs: number;
  /** Why the file is not followed, as the end of "the file, which …"; null when it is. Then `action` is `deny`. */
  readonly problem: string | null;
}

/** A policy is shorter than this many bytes. */
export const policyBytes = 4096;

/** Used where the file says nothing else. */
export const defaultPolicy: UnreachablePolicy = { action: 'deny', script: '', deadlineMs: 90_000, problem: null };

/** A day. */
export const mostDeadlineMs = 86_400_000;

/**
 * Parses a policy. The grammar is in docs/client.md; native/policy.c is the other implementation of it. A file longer
 * than {@link policyBytes} need not be given whole.
 */
export function parseUnreachablePolicy(bytes: Buffer): UnreachablePolicy {
  if (bytes.length >= policyBytes || bytes.includes(0)) return invalid(defaultPolicy, 'is not a short text file');
  let policy = defaultPolicy;
  let chosen = false;
  // Latin-1 keeps each byte apart: only a script's path has to be UTF-8, and a comment may hold anything.
  for (const [index, line] of bytes.toString('latin1').split('\n').entries()) {
    const [, word = '', rest = ''] = /^([^ \t]*)[ \t]*(.*)$/su.exec(line.replace(/^[ \t\r]+|[ \t\r]+$/gu, '')) ?? [];
    if (word === '' || word.startsWith('#')) continue;
    const said = word === 'deadline' ? parseDeadline(rest) : chosen ? null : parseAction(word, rest);
    if (said === null) return invalid(policy, `is not understood in line ${index + 1}`);
    if (word !== 'deadline') chosen = true;
    policy = { ...policy, ...said };
  }
  return chosen ? policy : invalid(policy, 'does not say deny, allow or script');
}

function invalid({ deadlineMs }: UnreachablePolicy, problem: string): UnreachablePolicy {
  return { ...defaultPolicy, deadlineMs, problem };
}

function parseAction(word: string, rest: string): Pick<UnreachablePolicy, 'action' | 'script'> | null {
  if (word === 'deny' || word === 'allow') return rest === '' ? { action: word, script: '' } : null;
  const path = Buffer.from(rest, 'latin1');
  return word === 'script' && rest.startsWith('/') && isUtf8(path) ? { action: word, script: path.toString() } : null;
}

/** Seconds with up to six digits before the point and three after it, above 0 and at most a day. */
function parseDeadline(text: string): Pick<UnreachablePolicy, 'deadlineMs'> | null {
  const deadlineMs = /^[0-9]{1,6}(?:\.[0-9]{0,3})?$/u.test(text) ? Math.round(Number(text) * 1000) : 0;
  return deadlineMs > 0 && deadlineMs <= mostDeadlineMs ? { deadlineMs } : null;
}
