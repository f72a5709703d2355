import { defaultPolicy, type UnreachablePolicy } from '../../src/contract/unreachable-policy.js';

/** A file for an unreachable runtime, and what every implementation of its grammar makes of it. */
export interface UnreachableCase {
  readonly text: Buffer;
  readonly policy: UnreachablePolicy;
}

type Text = string | Buffer;

function means(text: Text, policy: Partial<UnreachablePolicy>): UnreachableCase {
  return { text: Buffer.from(text), policy: { ...defaultPolicy, ...policy } };
}

const denies = (text: Text, ms = 90_000): UnreachableCase => means(text, { deadlineMs: ms });
const allows = (text: Text, ms = 90_000): UnreachableCase => means(text, { action: 'allow', deadlineMs: ms });
const runs = (text: Text, script: string): UnreachableCase => means(text, { action: 'script', script });
const wrong = (text: Text, line: number, ms = 90_000): UnreachableCase =>
  means(text, { problem: `is not understood in line ${line}`, deadlineMs: ms });
const silent = (text: Text, ms = 90_000): UnreachableCase =>
  means(text, { problem: 'does not say deny, allow or script', deadlineMs: ms });
const notText = (text: Text): UnreachableCase => means(text, { problem: 'is not a short text file' });

/** `allow` and a comment, of so many bytes together. */
const sized = (bytes: number): string => `allow\n${'#'.repeat(bytes - 6)}`;
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

export const unreachableCases: readonly UnreachableCase[] = [
  denies('deny'),
  denies('deny\n'),
  allows('allow'),
  allows(' \t allow \t \r\n'),
  allows('allow\r\ndeadline 60\r\n', 60_000),
  allows('\r\n\r\n\r\rallow\r\r\n'),
  allows('# a comment\n\n \t\n  # another: deny\nallow\n'),
  allows('deadline 60\nallow', 60_000),
  allows('\tdeadline\t \t1.25\n\tallow', 1_250),
  allows('#\nallow\n#deny'),
  allows('allow\n# \u00fcml\u00e4ut\n'),
  allows(latin1('allow\n# \xfcml\xe4ut\n')),

  // A deadline may be repeated: the last one counts.
  allows('deadline 5\nallow\ndeadline 7\n', 7_000),
  allows('allow\ndeadline 7\ndeadline 5\n', 5_000),
  wrong('allow\ndeadline 7\ndeadline x\n', 3, 7_000),
  allows('allow\ndeadline 86400', 86_400_000),
  allows('allow\ndeadline 86400.000', 86_400_000),
  allows('allow\ndeadline 086400', 86_400_000),
  allows('allow\ndeadline 5.', 5_000),
  allows('allow\ndeadline 0.001', 1),
  allows('allow\ndeadline 000000.5', 500),
  allows('allow\ndeadline 1.234', 1_234),
  allows('allow\ndeadline 86399.999', 86_399_999),
  wrong('allow\ndeadline 86400.001', 2),
  wrong('allow\ndeadline 86401', 2),
  wrong('allow\ndeadline 999999', 2),
  wrong('allow\ndeadline 0000001', 2),
  wrong('allow\ndeadline 99999999999999999999', 2),
  wrong('allow\ndeadline 0', 2),
  wrong('allow\ndeadline 0.000', 2),
  wrong('allow\ndeadline 0.0004', 2),
  wrong('allow\ndeadline -1', 2),
  wrong('allow\ndeadline +1', 2),
  wrong('allow\ndeadline 1e3', 2),
  wrong('allow\ndeadline 0x10', 2),
  wrong('allow\ndeadline .5', 2),
  wrong('allow\ndeadline .', 2),
  wrong('allow\ndeadline 1.2345', 2),
  wrong('allow\ndeadline 1.2.3', 2),
  wrong('allow\ndeadline 1,5', 2),
  wrong('allow\ndeadline 60 s', 2),
  wrong('allow\ndeadline 60s', 2),
  wrong('allow\ndeadline 60 # a minute', 2),
  wrong('allow\ndeadline Infinity', 2),
  wrong('allow\ndeadline \u0661', 2),
  wrong('allow\ndeadline', 2),
  wrong('allow\ndeadline ', 2),
  wrong('allow\nDeadline 5', 2),

  runs('script /etc/x', '/etc/x'),
  runs('script\t /etc/x\t \r\n', '/etc/x'),
  runs('script /opt/our hooks/do it  now', '/opt/our hooks/do it  now'),
  runs('script /etc/x # not a comment', '/etc/x # not a comment'),
  runs('script /', '/'),
  runs('script /tmp/\u00fcml\u00e4ut', '/tmp/\u00fcml\u00e4ut'),
  runs('script /tmp/\ufffd', '/tmp/\ufffd'),
  runs('script /etc/a\rb', '/etc/a\rb'),
  runs('script /etc/x\u00a0', '/etc/x\u00a0'),
  wrong(latin1('script /tmp/\xfcml\xe4ut'), 1),
  wrong(latin1('script /tmp/\xed\xa0\x80'), 1),
  wrong(latin1('script /tmp/\xc0\xaf'), 1),
  wrong('script relative/path', 1),
  wrong('script ./relative', 1),
  wrong('script "/etc/x"', 1),
  wrong('script', 1),
  wrong('script/etc/x', 1),

  wrong('deny\nallow\n', 2),
  wrong('allow\nallow', 2),
  wrong('deny\nscript /etc/x', 2),
  wrong('script /etc/x\nallow', 2),
  wrong('maybe', 1),
  wrong('allowed', 1),
  wrong('allow all', 1),
  wrong('deny # safe', 1),
  wrong('Allow', 1),
  wrong('\ufeffallow', 1),
  wrong('allow\rdeny', 1),
  wrong('\vallow', 1),
  wrong('\u00a0allow', 1),
  wrong('allow\u00a0', 1),
  wrong('deadline 5\nmaybe', 2, 5_000),
  wrong('\n# hours\nallow\ndeadline soon', 4),

  silent(''),
  silent('\n \n'),
  silent('# allow\n'),
  silent('deadline 3', 3_000),

  notText('allow\u0000'),
  notText('\u0000'),
  notText('allow\n# \u0000\n'),
  allows(sized(4_095)),
  notText(sized(4_096)),
  notText(sized(4_097)),
  notText(`allow\n${'#'.repeat(70_000)}`),
];
