import { Buffer, isUtf8 } from 'node:buffer';

/** The content of `/etc/hookvisor/unreachable`: what the hook client does while the runtime is unreachable. */
export interface UnreachablePolicy {
  readonly action: 'deny' | 'allow' | 'script';
  /** The absolute path of the script; empty unless `action` is `script`. */
  readonly script: string;
  /** How long the client waits for the runtime, milliseconds. */
  readonly deadlineMs: number;
  /**
   * Why the file is not followed, as the end of "the file, which …"; null if it is. With a problem, `action` is `deny`.
   */
  readonly problem: string | null;
}

/** A policy is shorter than this many bytes. */
export const policyBytes = 4096;

/** The policy that applies if the file sets nothing else. */
export const defaultPolicy: UnreachablePolicy = { action: 'deny', script: '', deadlineMs: 90_000, problem: null };

/** Maximum deadline: a day, milliseconds. */
export const mostDeadlineMs = 86_400_000;

/**
 * Parses a policy. docs/client.md has the grammar; native/policy.c is the other implementation of it. Only the first
 * {@link policyBytes} bytes of a longer file are needed.
 */
export function parseUnreachablePolicy(bytes: Buffer): UnreachablePolicy {
  if (bytes.length >= policyBytes || bytes.includes(0)) return invalid(defaultPolicy, 'is not a short text file');
  let policy = defaultPolicy;
  let chosen = false;
  // Latin-1 preserves each byte: only a script's path must be UTF-8, and a comment may contain anything.
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

/**
 * Parses seconds with up to six digits before the point and three after it, above 0 and at most a day; returns null for
 * anything else.
 */
function parseDeadline(text: string): Pick<UnreachablePolicy, 'deadlineMs'> | null {
  const deadlineMs = /^[0-9]{1,6}(?:\.[0-9]{0,3})?$/u.test(text) ? Math.round(Number(text) * 1000) : 0;
  return deadlineMs > 0 && deadlineMs <= mostDeadlineMs ? { deadlineMs } : null;
}
