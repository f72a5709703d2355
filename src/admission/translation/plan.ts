import type { ComponentPlan, ExportRef, ImportValue } from '../../contract/component-plan.js';
import { oneLine } from '../../contract/text.js';
import { objectionError, refusal } from '../../contract/objection.js';
import { accessOf } from './access.js';
import type { Definition, Options, Translation, Value } from './translation.js';

type HostCall = Extract<ImportValue, { is: 'host' }>['call'];
const hostCalls: ReadonlyMap<string, HostCall> = new Map([
  ['hookvisor:hook/document@0.1.0#text', 'text'],
  ['hookvisor:hook/document@0.1.0#select', 'select'],
  ['hookvisor:hook/settings@0.1.0#json', 'json'],
  ['hookvisor:hook/log@0.1.0#write', 'write'],
]);

const handler = 'hookvisor:hook/handler@0.1.0#handle';
const validator = 'hookvisor:hook/configurable@0.1.0#validate';

/** Returns the name under which a plan refers to a core module. */
export const moduleName = (place: number): string => `module${place}`;

/**
 * Returns the plan by which the runner assembles a component. Throws HookvisorError `plugin-refused` and names the part
 * that the runner does not support.
 */
export function planOf({ instances, exports }: Pick<Translation, 'instances' | 'exports'>): ComponentPlan {
  const steps = instances.map(({ module, imports }) => {
    const groups = new Map<string, [string, ImportValue][]>();
    for (const { module: from, name, value } of imports) {
      const planned = importOf(value);
      const group = groups.get(from);
      if (group === undefined) groups.set(from, [[name, planned]]);
      else group.push([name, planned]);
    }
    return { module: moduleName(module), imports: [...groups] };
  });
  const lifted = (path: string): ComponentPlan['handle'] | null => {
    const found = exports.find((one) => one.path.join('#') === path);
    if (found === undefined) return null;
    return {
      core: refOf(found.core),
      ...textOptions(found.options),
      postReturn: optionalRef(found.options.postReturn),
    };
  };
  const handle = lifted(handler);
  if (handle === null) throw unsupported(`exports no '${handler}'`);
  return { steps, handle, validate: lifted(validator) };
}

function importOf(value: Value): ImportValue {
  switch (value.is) {
    case 'export':
      return { is: 'export', ref: refOf(value) };
    case 'lower':
      return hostCall(value.path.join('#'), value.options);
    case 'transcode':
      // Vetting has already refused the others (src/admission/check-encodings.ts).
      if (value.operation !== 'utf8-to-utf8')
        throw unsupported(`converts text (${value.operation}) between its components`);
      return { is: 'copy', from: refOf(value.from), to: refOf(value.to) };
    case 'resource-rep':
      return { is: 'resource-rep', table: value.table };
    case 'resource-drop':
      return { ...value, destructor: optionalRef(value.destructor) };
    case 'access':
      return accessOf(value.instruction, refOf(value.memory));
    case 'other':
      throw unsupported(`needs '${oneLine(value.name, 80)}'`);
    case 'flags':
    case 'resource-new':
    case 'transfer-own':
    case 'transfer-borrow':
    case 'trap':
    case 'enter':
    case 'exit':
    case 'context-get':
    case 'context-set':
      return value;
  }
}

function hostCall(name: string, options: Options): ImportValue {
  const call = hostCalls.get(name);
  if (call === undefined) throw unsupported(`imports '${oneLine(name, 200)}'`);
  return { is: 'host', call, ...textOptions(options) };
}

function textOptions({ instance, encoding, memory, realloc, other }: Options) {
  if (other) throw unsupported('calls asynchronously');
  if (encoding === 'latin1+utf16') throw unsupported(`passes strings as ${encoding}`);
  return { instance, encoding, memory: refOf(memory), realloc: optionalRef(realloc) };
}

function optionalRef(definition: Definition | null): ExportRef | null {
  return definition === null ? null : refOf(definition);
}

/**
 * Returns the reference to an export of a core instance. A plan can refer to functions and memories only in this way.
 */
function refOf(definition: Definition | null): ExportRef {
  if (definition === null) throw unsupported('passes values without a memory');
  if (!('name' in definition))
    throw unsupported(`uses a definition of the host ('${oneLine(definition.is, 40)}') as its own function`);
  return [definition.instance, definition.name];
}

function unsupported(what: string): Error {
  return objectionError(
    refusal('structure', `it ${what}`, 'the runner does not support this; build it as one plain component'),
  );
}
