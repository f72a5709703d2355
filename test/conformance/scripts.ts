import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultLimits } from '../../src/contract/limits.js';
import { configOf, eventOf } from '../support/handlers.js';
import { snapshot } from '../support/leftovers.js';
import { writeScript } from '../support/temp.js';
import { endingOf } from './arena.js';
import type { Arena, Contender, Ending } from './arena.js';

/** What is so of a script, over what test/runtime/scripts/script.test.ts says of floods, pipes, TERM and swapped files. */
interface Claim {
  readonly title: string;
  readonly text: string;
  readonly ends: Partial<Record<keyof Ending, unknown>>;
}

/** For those that would never end; for those that end by themselves, on a busy machine too. */
const deadlineMs = { never: 400, soon: 5_000 };
/** Half a second from TERM to KILL, as much again for a process that not even that ends, the rest for a busy machine. */
const graceMs = 4_000;

const allow = { outcome: 'allow', failure: null };
const late = {
  failure: 'deadline',
  message: expect.stringContaining(`did not finish within ${deadlineMs.never} ms and was killed`) as unknown,
};
const crashed = (signal: string) => ({
  failure: 'crashed',
  message: expect.stringContaining(`it was terminated by ${signal}`) as unknown,
});

const claims: readonly Claim[] = [
  { title: 'an endless loop is ended by the deadline', text: 'while :; do :; done', ends: late },
  {
    title: 'an endless loop that ignores TERM is ended by KILL',
    text: "trap '' TERM; while :; do :; done",
    ends: late,
  },
  { title: 'a script that stops itself is ended by the deadline', text: 'kill -STOP $$', ends: late },
  {
    title: 'a script that closes its pipes and stays is ended by the deadline',
    text: 'exec <&- >&- 2>&-; while :; do sleep 60; done',
    ends: late,
  },
  {
    title: 'a script whose children start children is ended with all of them',
    text: 'for a in 1 2 3 4 5; do (for b in 1 2 3; do sleep 60 & done; wait) & done; wait',
    ends: late,
  },
  {
    title: 'children that are left running hold nothing up',
    text: 'for a in 1 2 3 4 5; do sleep 6 & done; exit 0',
    ends: allow,
  },
  {
    title: 'a child that leaves the process group, with the pipes in its hands, holds nothing up',
    text: 'setsid sleep 6 & exit 0',
    ends: allow,
  },
  { title: 'a script that kills its process group meets nobody else', text: 'kill -KILL 0', ends: crashed('SIGKILL') },
  { title: 'a script that kills itself has crashed', text: 'kill -ABRT $$', ends: crashed('SIGABRT') },
];

/** Scripts, over what `test/runtime/scripts/script.test.ts` says of them. */
export function hostileScripts(current: () => Arena): void {
  describe('a hostile script:', () => {
    let neighbour: Contender;
    const folder = (): string => join(current().folder, 'scripts');
    const load = async (name: string, text: string, ms: number): Promise<Contender> => {
      const limits = { ...defaultLimits, deadlineMs: ms };
      return current().loadConfigured(configOf({ name, source: await writeScript(folder(), name, text), limits }));
    };
    beforeAll(async () => {
      neighbour = await load('neighbour', 'exit 0', 10_000);
    });

    it.each(claims.map((claim, at) => ({ ...claim, at })))(
      '$title',
      async ({ text, ends, at }) => {
        const before = await snapshot({ folders: [folder()] });
        const ms = ends === late ? deadlineMs.never : deadlineMs.soon;
        const handler = await load(`hostile-${at}`, text, ms);
        const call = { event: eventOf(), document: Buffer.from('<domain/>') };
        const running = endingOf(handler, call, ms + graceMs);
        // While it does what it does, and after it.
        expect(await neighbour.evaluate(call)).toMatchObject({ outcome: 'allow' });
        const first = await running;
        expect(first).toMatchObject(ends);
        expect(await neighbour.evaluate(call)).toMatchObject({ outcome: 'allow' });
        expect(await endingOf(handler, call, ms + graceMs)).toEqual(first);
        await handler[Symbol.asyncDispose]();
        const { processes, files } = await before.compare({ waitMs: 10_000, rssBytes: Number.MAX_SAFE_INTEGER });
        expect({ processes, files }).toEqual({ processes: [], files: [join(folder(), `hostile-${at}`)] });
      },
      60_000,
    );
  });
}
