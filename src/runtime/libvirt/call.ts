import { HookvisorError } from '../../contract/errors.js';
import type { HookCall, HookEvent } from '../../contract/event.js';
import { findUuid } from '../../shared/xml/uuid.js';
import { defaultDriver, kindOf } from './kind.js';

/** What the runtime adds to a call: the XML from stdin, when it arrived, and a fresh identifier. */
interface Received {
  readonly document: Buffer | null;
  readonly time: number;
  readonly id: string;
}

/** A hook call as libvirt makes it: `/etc/libvirt/hooks/DRIVER OBJECT OPERATION SUBOPERATION EXTRA`. */
export interface HookArguments extends Received {
  readonly driver: string;
  /** The arguments after the hook's own path. */
  readonly args: readonly string[];
}

/** A call in the words of the "events scripts" RFC. */
export interface RfcArguments extends Received {
  readonly kind: string;
  readonly name: string;
  readonly event: string;
  readonly qualifier: string;
  readonly extra: string | null;
  /** libvirt's hook name; by default what {@link defaultDriver} says of the kind. */
  readonly driver?: string;
}

/**
 * Reads the arguments of one of libvirt's hooks. `-`, an empty or a missing argument means that there is nothing to say;
 * an object without a name keeps `-`. Throws HookvisorError `protocol` when there is no operation.
 */
export function fromHookArguments({ driver, args, document, time, id }: HookArguments): HookCall {
  const [name, event, qualifier] = args;
  if (name === undefined || isBlank(event)) {
    throw new HookvisorError(
      'protocol',
      `Cannot read the hook's arguments: ${args.length} given and no operation among them; ` +
        `call it as libvirt does: OBJECT OPERATION SUBOPERATION EXTRA`,
      { fields: { arguments: args.length } },
    );
  }
  // libvirt's reasons may hold a space ("from snapshot"), and a script between may have split it.
  const extra = args.slice(3).join(' ');
  return callOf({ driver, kind: kindOf(driver), name, event, qualifier, extra }, { document, time, id });
}

/** Reads the RFC's five words. Throws HookvisorError `protocol` when there is no kind or no event. */
export function fromRfcArguments({ kind, name, event, qualifier, extra, driver, ...received }: RfcArguments): HookCall {
  if (isBlank(kind) || isBlank(event)) {
    throw new HookvisorError(
      'protocol',
      `Cannot read the event: it has no ${isBlank(kind) ? 'kind' : 'event'}; give KIND NAME EVENT QUALIFIER`,
    );
  }
  return callOf({ driver: driver ?? defaultDriver(kind), kind, name, event, qualifier, extra }, received);
}

/** The arguments with which libvirt calls its own hooks: NAME OPERATION SUBOPERATION EXTRA, `-` for an empty one. */
export function toHookArguments(event: HookEvent): string[] {
  return [event.name, event.event, event.qualifier, event.extra ?? '-'];
}

/** The arguments of the "events scripts" RFC: KIND NAME EVENT QUALIFIER, and EXTRA only when there is one. */
export function toRfcArguments(event: HookEvent): string[] {
  const words = [event.kind, event.name, event.event, event.qualifier];
  return event.extra === null ? words : [...words, event.extra];
}

interface Words {
  readonly driver: string;
  readonly kind: string;
  readonly name: string;
  readonly event: string;
  readonly qualifier: string | undefined;
  readonly extra: string | null;
}

function callOf({ driver, kind, name, event, qualifier, extra }: Words, { document, time, id }: Received): HookCall {
  const content = document !== null && document.length > 0 ? document : null;
  return {
    event: {
      id,
      time,
      kind,
      name: isBlank(name) ? '-' : name,
      event,
      qualifier: isBlank(qualifier) ? '-' : qualifier,
      extra: isBlank(extra) ? null : extra,
      driver,
      uuid: content === null ? null : findUuid(content),
    },
    document: content,
  };
}

function isBlank(word: string | null | undefined): word is '' | '-' | null | undefined {
  return word === null || word === undefined || word === '' || word === '-';
}
