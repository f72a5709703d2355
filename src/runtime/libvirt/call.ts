import { HookvisorError } from '../../contract/errors.js';
import type { HookCall, HookEvent } from '../../contract/event.js';
import { findUuid } from '../../shared/xml/uuid.js';
import { defaultDriver, kindOf } from './kind.js';

/** What the runtime adds to a call: the XML from stdin, the time of arrival, and a new identifier. */
interface Received {
  readonly document: Buffer | null;
  readonly time: number;
  readonly id: string;
}

/** A hook call as libvirt makes it: `/etc/libvirt/hooks/DRIVER OBJECT OPERATION SUBOPERATION EXTRA`. */
export interface HookArguments extends Received {
  readonly driver: string;
  /** The arguments after the path of the hook. */
  readonly args: readonly string[];
}

/** A call in the terms of the "events scripts" RFC. */
export interface RfcArguments extends Received {
  readonly kind: string;
  readonly name: string;
  readonly event: string;
  readonly qualifier: string;
  readonly extra: string | null;
  /** The hook name in libvirt; by default {@link defaultDriver} of the kind. */
  readonly driver?: string;
}

/**
 * Parses the arguments of a libvirt hook. `-`, an empty and a missing argument mean that there is no value; an object
 * without a name keeps `-`. Throws HookvisorError `protocol` if there is no operation.
 */
export function fromHookArguments({ driver, args, document, time, id }: HookArguments): HookCall {
  const [name, event, qualifier] = args;
  if (name === undefined || isBlank(event)) {
    throw new HookvisorError(
      'protocol',
      `Cannot read the hook's arguments: they are ${args.length} without an operation; ` +
        `call it as libvirt does: OBJECT OPERATION SUBOPERATION EXTRA`,
      { fields: { arguments: args.length } },
    );
  }
  // Reasons of libvirt may contain a space ("from snapshot"), at which an intermediate script may have split them.
  const extra = args.slice(3).join(' ');
  return callOf({ driver, kind: kindOf(driver), name, event, qualifier, extra }, { document, time, id });
}

/** Parses the five words of the RFC. Throws HookvisorError `protocol` if there is no kind or no event. */
export function fromRfcArguments({ kind, name, event, qualifier, extra, driver, ...received }: RfcArguments): HookCall {
  if (isBlank(kind) || isBlank(event)) {
    throw new HookvisorError(
      'protocol',
      `Cannot read the event: it has no ${isBlank(kind) ? 'kind' : 'event'}; specify KIND NAME EVENT QUALIFIER`,
    );
  }
  return callOf({ driver: driver ?? defaultDriver(kind), kind, name, event, qualifier, extra }, received);
}

/** Returns the arguments as libvirt passes them to its hooks: NAME OPERATION SUBOPERATION EXTRA, `-` if empty. */
export function toHookArguments(event: HookEvent): string[] {
  return [event.name, event.event, event.qualifier, event.extra ?? '-'];
}

/** Returns the arguments of the "events scripts" RFC: KIND NAME EVENT QUALIFIER, and EXTRA only if it exists. */
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
