import { describe, expect, it } from 'vitest';
import { toHookAnswer } from '../../../src/runtime/dispatch/answer.js';
import { runChain, type ChainResult } from '../../../src/runtime/dispatch/chain.js';
import type { LoadedHandler } from '../../../src/runtime/dispatch/loaded-handler.js';
import type { Outcome } from '../../../src/contract/outcome.js';
import { eventOf, handlerOf } from '../../support/handlers.js';

const other = Buffer.from('<domain><name>tiny</name></domain>\n');

function ask(...handlers: readonly LoadedHandler[]): Promise<ChainResult> {
  const call = { event: eventOf({ event: 'migrate' }), document: Buffer.from('<domain/>') };
  return runChain({ call, handlers, checkReplacement: () => null });
}

const deny = (reason: string) => (): Outcome => ({ outcome: 'deny', reason });

describe('the answer to libvirt', () => {
  it('of a denial is status 1 and one clean line that names the handler', async () => {
    const { verdict, document } = await ask(
      handlerOf({ name: 'first' }, () => ({ outcome: 'allow' })),
      handlerOf({ name: 'naming' }, deny('bad\nname \x1b[31m')),
      handlerOf({ name: 'watch', mode: 'monitor' }, deny('not me')),
    );
    const { status, stdout, stderr } = toHookAnswer(verdict, document);
    expect([status, stdout.length, stderr.toString()]).toEqual([1, 0, 'naming: bad name \\x1b[31m\n']);
  });

  it('of a denial by a fallback names the fallback', async () => {
    const failing = handlerOf(
      { name: 'naming', failurePolicy: { policy: 'fallback', handler: 'naming-script' } },
      () => {
        throw new Error('gone');
      },
      handlerOf({ name: 'naming-script' }, deny('no')),
    );
    const { verdict, document } = await ask(failing);
    expect(toHookAnswer(verdict, document).stderr.toString()).toBe('naming-script: no\n');
  });

  it('of a long reason stays one short line', async () => {
    const { verdict, document } = await ask(handlerOf({ name: 'n'.repeat(64) }, deny('x'.repeat(100_000))));
    expect(toHookAnswer(verdict, document).stderr.toString()).toMatch(/^n{64}: x{1023}…\n$/);
  });

  it('of an unchanged document is an empty stdout, which keeps it', async () => {
    const { verdict, document } = await ask(handlerOf({}, () => ({ outcome: 'allow' })));
    expect(toHookAnswer(verdict, document)).toEqual({ status: 0, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) });
  });

  it('of a replaced document is its bytes', async () => {
    const { verdict, document } = await ask(
      handlerOf({ grants: new Set(['replace']) }, () => ({ outcome: 'replace', document: other })),
    );
    expect(toHookAnswer(verdict, document)).toEqual({ status: 0, stdout: other, stderr: Buffer.alloc(0) });
  });
});
