declare module 'hookvisor:hook/configurable@0.1.0' {
  /**
   * Called once when the plug-in is loaded, on a separate instance, with the settings but without a document. With
   * an error, the configuration is rejected and the text is shown to the administrator.
   */
  export function validate(): void;
}
declare module 'hookvisor:hook/document@0.1.0' {
  /**
   * Returns the whole document, or nothing if the event has none. Each call returns a new copy.
   */
  export function text(): string | undefined;
  /**
   * Evaluates an XPath 1.0 expression and returns the string value of each node found, in document order; a number,
   * string or boolean becomes one element. Does not expand entities and does not fetch anything.
   */
  export function select(xpath: string): Array<string>;
  /**
   * The reason why `select` failed.
   */
  export type SelectError = SelectErrorNoDocument | SelectErrorNotXml | SelectErrorBadXpath | SelectErrorTooLarge;
  /**
   * This event has no document (`daemon` events).
   */
  export interface SelectErrorNoDocument {
    tag: 'no-document';
  }
  /**
   * The document is not well-formed XML, or declares a document type.
   */
  export interface SelectErrorNotXml {
    tag: 'not-xml';
    val: string;
  }
  /**
   * The expression is not in the subset of XPath 1.0 in docs/xpath.md, or its evaluation failed.
   */
  export interface SelectErrorBadXpath {
    tag: 'bad-xpath';
    val: string;
  }
  /**
   * The answer exceeds the host's limit.
   */
  export interface SelectErrorTooLarge {
    tag: 'too-large';
  }
}
declare module 'hookvisor:hook/handler@0.1.0' {
  /**
   * Decides one event. Called once on a fresh instance, which is then discarded: no memory, global or table persists
   * until the next event.
   */
  export function handle(event: Event): Outcome;
  export type Event = import('hookvisor:hook/types@0.1.0').Event;
  export type Outcome = import('hookvisor:hook/types@0.1.0').Outcome;
}
declare module 'hookvisor:hook/log@0.1.0' {
  /**
   * Adds one message. Messages beyond the host's limit for an event are dropped and counted.
   */
  export function write(level: Level, message: string): void;
  /**
   * The severity of a message.
   * # Variants
   *
   * ## `"debug"`
   *
   * ## `"info"`
   *
   * ## `"warn"`
   *
   * ## `"error"`
   */
  export type Level = 'debug' | 'info' | 'warn' | 'error';
}
declare module 'hookvisor:hook/settings@0.1.0' {
  /**
   * Returns the settings as JSON text; `{}` if none are configured. Every call returns the same text.
   */
  export function json(): string;
}
declare module 'hookvisor:hook/types@0.1.0' {
  /**
   * One call of a libvirt hook: the five fields of the "events scripts" RFC and what Hookvisor adds.
   *
   * A handler always receives the same bytes for the same event: no field is read from a clock at the time of the
   * call, so a recorded event can be replayed.
   */
  export interface Event {
    /**
     * Identifier of this event, unique per hook call, at most 64 characters.
     */
    id: string;
    /**
     * When the runtime received the call, in milliseconds since the Unix epoch.
     */
    time: bigint;
    /**
     * `domain`, `network` or `daemon`; a newer libvirt may add others.
     */
    kind: string;
    /**
     * Name of the object, as libvirt wrote it. Hostile input: it may contain any character except NUL.
     */
    name: string;
    /**
     * libvirt's operation: `prepare`, `start`, `migrate`, …
     */
    event: string;
    /**
     * libvirt's sub-operation: `begin`, `end`, …; `-` if there is none.
     */
    qualifier: string;
    /**
     * libvirt's extra argument, unless it is `-`.
     */
    extra?: string;
    /**
     * libvirt's hook name: `qemu`, `lxc`, `libxl`, `bhyve`, `network` or `daemon`.
     */
    driver: string;
    /**
     * The object's UUID in lower case, if the document contains one.
     */
    uuid?: string;
  }
  /**
   * The decision of a handler.
   */
  export type Outcome = OutcomeAllow | OutcomeDeny | OutcomeReplace;
  /**
   * No objection. The next handler is called.
   */
  export interface OutcomeAllow {
    tag: 'allow';
  }
  /**
   * The operation must not happen. The user who requested it sees the text.
   */
  export interface OutcomeDeny {
    tag: 'deny';
    val: string;
  }
  /**
   * Continue with this document. Valid only for operations whose document libvirt reads back (`migrate`,
   * `restore`), with the grant `replace`, and with the same name and UUID.
   */
  export interface OutcomeReplace {
    tag: 'replace';
    val: string;
  }
}
