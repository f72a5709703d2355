import type { HookCall } from '../event.js';
import { fromHookArguments, fromRfcArguments } from '../libvirt/call.js';

interface Described {
  /** The XML that libvirt would write to the hook's stdin; none when absent. */
  readonly document?: string | Buffer | null;
  /** Milliseconds since the Unix epoch, or what `Date` reads; a fixed moment when absent. */
  readonly time?: number | string;
  /** At most 64 characters; a fixed one when absent. */
  readonly id?: string;
}

/** A hook call as libvirt makes it. */
export interface ArgvCall extends Described {
  /** NAME OPERATION SUBOPERATION EXTRA, as after the hook's path. */
  readonly argv: readonly string[];
  /** libvirt's hook name; `qemu` when absent. */
  readonly driver?: string;
}

/** A hook call in the five words of the "events scripts" RFC. */
export interface WordsCall extends Described {
  readonly kind: string;
  readonly name: string;
  readonly event: string;
  readonly qualifier?: string;
  readonly extra?: string | null;
  /** libvirt's hook name; by default what belongs to the kind. */
  readonly driver?: string;
}

export type CallDescription = ArgvCall | WordsCall;

/** The moment at which events of tests arrive, unless they say another: 2026-01-01T00:00:00Z, a Thursday. */
export const defaultTime = Date.UTC(2026, 0, 1);

/** The identifier of events of tests, unless they say another. */
export const defaultId = '00000000-0000-4000-8000-000000000000';

/** The hook call that a test describes. Throws HookvisorError `protocol` when there is no operation in it. */
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
