/**
 * One call of a libvirt hook: the five fields of the "events scripts" RFC (kind, name, event, qualifier, extra) and
 * what Hookvisor adds. Names and documents come from libvirt's users and are hostile input.
 */
export interface HookEvent {
  /** Unique per hook call: a random UUID. */
  readonly id: string;
  /** When the runtime received the call, milliseconds since the Unix epoch. */
  readonly time: number;
  /** `domain`, `network` or `daemon`; other values from a newer libvirt or from `emit`. */
  readonly kind: string;
  readonly name: string;
  /** libvirt's operation, such as `prepare`. */
  readonly event: string;
  /** libvirt's sub-operation, such as `begin`; `-` when there is none. */
  readonly qualifier: string;
  /** libvirt's extra argument; null for `-`. */
  readonly extra: string | null;
  /** libvirt's hook name, such as `qemu`. */
  readonly driver: string;
  /** The object's UUID in lower case, if the document contains one. */
  readonly uuid: string | null;
}

/** An event with the XML that libvirt wrote to the hook's stdin; null if there was none. */
export interface HookCall {
  readonly event: HookEvent;
  readonly document: Buffer | null;
}
