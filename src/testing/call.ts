import type { HookCall } from '../contract/event.js';
import { fromHookArguments, fromRfcArguments } from '../runtime/libvirt/call.js';

interface Described {
  /** The XML that libvirt would send to the hook on stdin; default: none. */
  readonly document?: string | Buffer | null;
  /** Milliseconds since the Unix epoch, or text that `Date` parses; default: a fixed time. */
  readonly time?: number | string;
  /** At most 64 characters; default: a fixed id. */
  readonly id?: string;
}

/** A hook call in the form of libvirt. */
export interface ArgvCall extends Described {
  /** Arguments of the hook: NAME OPERATION SUBOPERATION EXTRA. */
  readonly argv: readonly string[];
  /** Hook name in libvirt; default: `qemu`. */
  readonly driver?: string;
}

/** A hook call in the form of the "events scripts" RFC. */
export interface WordsCall extends Described {
  readonly kind: string;
  readonly name: string;
  readonly event: string;
  readonly qualifier?: string;
  readonly extra?: string | null;
  /** Hook name in libvirt; default: that of the kind. */
  readonly driver?: string;
}

export type CallDescription = ArgvCall | WordsCall;

/** Default time of test events: 2026-01-01T00:00:00Z, a Thursday. */
export const defaultTime = Date.UTC(2026, 0, 1);

/** Default id of test events. */
export const defaultId = '00000000-0000-4000-8000-000000000000';

/** Builds the hook call that a test describes. Throws HookvisorError `protocol` when it has no operation. */
export function callOf(described: CallDescription): HookCall {
  const received = {
    document: documentOf(described.document),
    time: timeOf(described.time),
    id: described.id ?? defaultId,
  };
  if ('argv' in described) {
    return fromHookArguments({ driver: described.driver ?? 'qemu', args: described.argv, ...received });
  }
  const { kind, name, event, qualifier, extra, driver } = described;
  const words = { kind, name, event, qualifier: qualifier ?? '-', extra: extra ?? null };
  return fromRfcArguments({ ...words, ...received, ...(driver !== undefined && { driver }) });
}

function documentOf(document: string | Buffer | null | undefined): Buffer | null {
  return typeof document === 'string' ? Buffer.from(document) : (document ?? null);
}

function timeOf(time: number | string | undefined): number {
  return typeof time === 'string' ? Date.parse(time) : (time ?? defaultTime);
}
