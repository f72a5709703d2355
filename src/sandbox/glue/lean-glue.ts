import type { ComponentPlan, ExportRef, ImportValue } from '../../backends/component-plan.js';
import { shown, skipSpace } from './glue-imports.js';
import { glueRules } from './glue-rules.js';
import type { Reading } from './glue-rules.js';
import { Unexpected } from './glue-text.js';

/** A plan, or the first thing in the glue that was not as expected. */
export type LeanGlue = { readonly plan: ComponentPlan } | { readonly unexpected: string };

const begin = '\n  let gen= (function* _initGenerator () {\n';
const end = '\n  })();\n  let promise, resolve, reject;\n';

/**
 * Reads, from the JavaScript that jco generates for a component, how its instances are put together, and leaves the
 * code behind. Each piece of it has to be exactly as expected: where one is not, jco's glue itself has to be used.
 */
export function leanGlue(glue: string): LeanGlue {
  const [head = '', body = '', ...others] = glue.split(begin);
  const [generator, tail, ...more] = body.split(end);
  if (generator === undefined || tail === undefined || others.length + more.length > 0)
    return { unexpected: 'its frame' };
  const modules = [...head.matchAll(/^ {2}const module(\d+) = getCoreModule\('([\w.]+)'\);$/gmu)];
  const reading: Reading = {
    modules: new Map(modules.map(([, number = '', name = '']) => [number, name])),
    refs: new Map(),
    values: new Map(),
    lifted: new Map(),
    steps: [],
  };
  try {
    read(generator, reading);
    return { plan: planOf(reading) };
  } catch (error) {
    if (error instanceof Unexpected) return { unexpected: error.message };
    throw error;
  }
}

/** Statement after statement, each by the first rule that fits it. */
function read(text: string, reading: Reading): void {
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const end = readStatement(text, at, reading);
    if (end === null) throw new Unexpected(`the statement ${shown(text, at)}`);
    at = skipSpace(text, end);
  }
}

function readStatement(text: string, at: number, reading: Reading): number | null {
  for (const { match, note } of glueRules) {
    const found = match(text, at);
    if (found !== null) {
      note(reading, found.hole);
      return found.end;
    }
  }
  return null;
}

function planOf(reading: Reading): ComponentPlan {
  const { refs, values, lifted } = reading;
  const ref = (name: string): ExportRef => {
    const found = refs.get(name);
    if (found === undefined) throw new Unexpected(`'${name}' stands for nothing`);
    return found;
  };
  const value = (name: string): ImportValue => {
    const found = values.get(name);
    if (found === undefined) throw new Unexpected(`'${name}' stands for nothing`);
    return found(ref);
  };
  const optionalRef = (name: string | null): ExportRef | null => (name === null ? null : ref(name));
  const liftedBy = (name: string): ComponentPlan['handle'] | null => {
    const found = lifted.get(name);
    if (found === undefined) return null;
    const { instance, core, memory, realloc, postReturn } = found;
    return {
      instance,
      core: ref(core),
      memory: ref(memory),
      realloc: optionalRef(realloc),
      postReturn: optionalRef(postReturn),
    };
  };
  const handle = liftedBy('handle');
  if (handle === null) throw new Unexpected("no function 'handle'");
  const steps = reading.steps.map(({ module, imports }) => ({
    module,
    imports: imports.map(([name, fields]): [string, [string, ImportValue][]] => [
      name,
      fields.map(([field, draft]): [string, ImportValue] => [field, draft(value)]),
    ]),
  }));
  return { steps, handle, validate: liftedBy('validate') };
}
