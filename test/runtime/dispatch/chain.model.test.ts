import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FailurePolicy } from '../../../src/runtime/config/config.js';
import { runChain } from '../../../src/runtime/dispatch/chain.js';
import type { LoadedHandler } from '../../../src/runtime/dispatch/loaded-handler.js';
import { HandlerFailure } from '../../../src/contract/outcome.js';
import { eventOf, handlerOf } from '../../support/handlers.js';

/** A handler in a few words: what it does, and how it is configured. */
interface Plan {
  readonly does: 'allow' | 'deny' | 'replace' | 'fail';
  readonly monitor: boolean;
  readonly mayReplace: boolean;
  readonly mayDeny: boolean;
  readonly policy: FailurePolicy['policy'];
  readonly fallback: Plan | null;
}

/** Whether a denial aborts cleanly, and whether libvirt takes a document: a row of the catalog in two words. */
const events = [
  { event: 'prepare', qualifier: 'begin', aborts: true, filter: false },
  { event: 'migrate', qualifier: 'begin', aborts: true, filter: true },
  { event: 'reconnect', qualifier: 'begin', aborts: false, filter: false },
  { event: 'stopped', qualifier: 'end', aborts: false, filter: false },
] as const;
type Row = (typeof events)[number];

interface Expected {
  verdict: 'allow' | 'deny' | 'replace';
  answered: 'allow' | 'deny' | 'replace';
  reason: string | null;
  document: string | null;
}

/** The semantics, written down as plainly as they are said. */
function model(plans: readonly Plan[], row: Row): Expected {
  let document: string | null = null;
  let recorded: string | null = null;
  for (const [index, plan] of plans.entries()) {
    if (plan.monitor) continue;
    const decided = settle(plan, `h${String(index)}`, row);
    if (decided.what === 'replace') document = decided.text;
    if (decided.what !== 'deny') continue;
    if (row.aborts || decided.plan.mayDeny) {
      return { verdict: 'deny', answered: 'deny', reason: decided.text, document: null };
    }
    recorded ??= decided.text;
  }
  const answered = document === null ? 'allow' : 'replace';
  return { verdict: recorded === null ? answered : 'deny', answered, reason: recorded, document };
}

function settle(plan: Plan, name: string, row: Row): { what: 'allow' | 'deny' | 'replace'; text: string; plan: Plan } {
  const unusable = plan.does === 'replace' && !(plan.mayReplace && row.filter);
  if (plan.does !== 'fail' && !unusable) return { what: plan.does, text: name, plan };
  if (plan.policy === 'ignore') return { what: 'allow', text: '', plan };
  if (plan.policy === 'fallback' && plan.fallback !== null) return settle(plan.fallback, `${name}f`, row);
  return { what: 'deny', text: 'cannot decide', plan };
}

function load(plan: Plan, name: string, row: Row): LoadedHandler {
  const fallback = plan.fallback === null ? null : load(plan.fallback, `${name}f`, row);
  const grants = new Set([...(plan.mayReplace ? ['replace'] : []), ...(plan.mayDeny ? [`deny-${row.event}`] : [])]);
  const failurePolicy: FailurePolicy =
    plan.policy === 'fallback' ? { policy: 'fallback', handler: `${name}f` } : { policy: plan.policy };
  return handlerOf(
    { name, grants, failurePolicy, mode: plan.monitor ? 'monitor' : 'enforce' },
    () => {
      if (plan.does === 'fail') throw new HandlerFailure('trap', name);
      if (plan.does === 'deny') return { outcome: 'deny', reason: name };
      if (plan.does === 'replace') return { outcome: 'replace', document: Buffer.from(name) };
      return { outcome: 'allow' };
    },
    fallback,
  );
}

const { plan: anyPlan } = fc.letrec<{ plan: Plan }>((tie) => ({
  plan: fc.record({
    does: fc.constantFrom('allow', 'allow', 'deny', 'replace', 'fail'),
    monitor: fc.boolean(),
    mayReplace: fc.boolean(),
    mayDeny: fc.boolean(),
    policy: fc.constantFrom('fail', 'ignore', 'fallback'),
    fallback: fc.option(tie('plan'), { maxDepth: 3, depthSize: 'small' }),
  }),
}));

it('every chain answers what the plain statement of the semantics says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyPlan, { maxLength: 8 }), fc.constantFrom(...events), async (plans, row) => {
      const { verdict, document } = await runChain({
        call: { event: eventOf({ event: row.event, qualifier: row.qualifier }), document: Buffer.from('<domain/>') },
        handlers: plans.map((plan, index) => load(plan, `h${String(index)}`, row)),
        checkReplacement: () => null,
      });
      const expected = model(plans, row);
      expect({
        verdict: verdict.verdict,
        answered: verdict.answered,
        reason: verdict.reason?.startsWith('cannot decide') === true ? 'cannot decide' : verdict.reason,
        document: document?.toString() ?? null,
      }).toEqual(expected);
      // Every monitor has run, whatever was decided.
      const monitors = verdict.handlers.filter(({ mode }) => mode === 'monitor').length;
      expect(monitors).toBe(plans.filter(({ monitor }) => monitor).length);
    }),
    { numRuns: 2_000 },
  );
});
