import type { HookCall, HookEvent } from '../../contract/event.js';
import { fromHookArguments } from '../../runtime/libvirt/call.js';
import type { ReplayHandler } from '../replay/replay-handlers.js';
import { growDocument } from './document.js';
import { callsOf, type PlannedCall, worldOf } from './machine.js';
import type { Plan, Step } from './plan.js';
import type { Samples } from './samples.js';
import { judge, type Violation } from './violation.js';

/** The plug-in under test and the events that it receives. */
export interface Subject {
  readonly asked: ReplayHandler;
  readonly isAsked: (event: HookEvent) => boolean;
  readonly samples: Samples;
}

/** The result of playing a plan. */
export interface Played {
  /** Every hook call up to the violation or the end. */
  readonly calls: readonly { readonly call: HookCall; readonly step: Step }[];
  /** Number of calls that the plug-in received. */
  readonly asked: number;
  readonly mostFuel: number;
  /** The violation at the last call; null when there was none. */
  readonly violation: Violation | null;
}

/** The clock starts at 2026-01-01T00:00:00Z. */
const began = Date.UTC(2026, 0, 1);
const hourMs = 3_600_000;

/** Plays a plan with a plug-in, whose denials take effect. Ends at the first violation. */
export async function play({ guests, steps }: Plan, { asked: plugin, isAsked, samples }: Subject): Promise<Played> {
  const plan = { guests, steps };
  const world = worldOf(plan);
  const calls: { call: HookCall; step: Step }[] = [];
  let [asked, mostFuel, time] = [0, 0, began];
  for (const step of steps) {
    const sequence = callsOf(step, world);
    time += (step.seed % 100) * hourMs;
    for (let next = sequence.next(); next.done !== true;) {
      time += 40;
      const call = hookCall(next.value, { plan, step, samples, time, number: calls.length });
      calls.push({ call, step });
      let denied = false;
      if (isAsked(call.event)) {
        asked += 1;
        const judged = await judge(plugin, call);
        mostFuel = Math.max(mostFuel, judged.answer.fuel ?? 0);
        if (judged.violation !== null) return { calls, asked, mostFuel, violation: judged.violation };
        denied = judged.denied;
      }
      next = sequence.next(denied);
    }
  }
  return { calls, asked, mostFuel, violation: null };
}

function hookCall(
  planned: PlannedCall,
  at: { plan: Plan; step: Step; samples: Samples; time: number; number: number },
): HookCall {
  const { name, document } = growDocument(planned, at.plan, at.step, at.samples);
  return fromHookArguments({
    driver: planned.driver,
    args: [name, planned.event, planned.qualifier, planned.extra],
    document: document === null ? null : Buffer.from(document),
    time: at.time,
    id: `00000000-0000-4000-8000-${String(at.number + 1).padStart(12, '0')}`,
  });
}
