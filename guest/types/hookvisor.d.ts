declare module 'hookvisor:hook/configurable@0.1.0' {
  /**
   * Called once when the plugin is loaded, on an instance of its own, with the settings in place and without a
   * document. An error keeps the configuration from being used; the text is shown to the administrator.
   */
  export function validate(): void;
}
declare module 'hookvisor:hook/document@0.1.0' {
  /**
   * The whole document, or nothing when the event has none. A new copy at each call.
   */
  export function text(): string | undefined;
  /**
   * Evaluates an XPath 1.0 expression and gives the string value of each node found, in document order;
   * a number, string or boolean gives one element. No entity is expanded and nothing is fetched.
   */
  export function select(xpath: string): Array<string>;
  /**
   * Why `select` could not answer.
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
   * The expression is not of the part of XPath 1.0 in docs/xpath.md, or failed to evaluate.
   */
  export interface SelectErrorBadXpath {
    tag: 'bad-xpath';
    val: string;
  }
  /**
   * The answer is larger than the host hands out.
   */
  export interface SelectErrorTooLarge {
    tag: 'too-large';
  }
}
declare module 'hookvisor:hook/handler@0.1.0' {
  /**
   * Decides one event. Called once on a fresh instance, which is thrown away afterwards: nothing that is kept in
   * memory, globals or tables is seen by the next event.
   */
  export function handle(event: Event): Outcome;
  export type Event = import('hookvisor:hook/types@0.1.0').Event;
  export type Outcome = import('hookvisor:hook/types@0.1.0').Outcome;
}
declare module 'hookvisor:hook/log@0.1.0' {
  /**
   * Adds one message. Messages beyond the host's limit for one event are dropped, and counted.
   */
  export function write(level: Level, message: string): void;
  /**
   * How much a message matters.
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
   * The settings as JSON text; `{}` when none are configured. The same text at every call.
   */
  export function json(): string;
}
declare module 'hookvisor:hook/types@0.1.0' {
  /**
   * One call of a libvirt hook, in the five words of the "events scripts" RFC and what Hookvisor knows besides.
   *
   * The same event always reaches a handler with the same bytes: nothing in it is read from a clock at the
   * time of the call, so a recorded event can be replayed.
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
     * Name of the object, as libvirt wrote it. Hostile input: it may hold any character but NUL.
     */
    name: string;
    /**
     * libvirt's operation: `prepare`, `start`, `migrate`, …
     */
    event: string;
    /**
     * libvirt's sub-operation: `begin`, `end`, …; `-` when there is none.
     */
    qualifier: string;
    /**
     * libvirt's extra argument, when it is not `-`.
     */
    extra?: string;
    /**
     * libvirt's hook name: `qemu`, `lxc`, `libxl`, `bhyve`, `network` or `daemon`.
     */
    driver: string;
    /**
     * The object's UUID in lower case, when the document names it.
     */
    uuid?: string;
  }
  /**
   * What a handler decided.
   */
  export type Outcome = OutcomeAllow | OutcomeDeny | OutcomeReplace;
  /**
   * No objection. The next handler is asked.
   */
  export interface OutcomeAllow {
    tag: 'allow';
  }
  /**
   * The operation must not happen. The text is shown to the user who asked for it.
   */
  export interface OutcomeDeny {
    tag: 'deny';
    val: string;
  }
  /**
   * Go on with this document instead. Only for operations whose document libvirt takes back
   * (`migrate`, `restore`), only with the grant `replace`, and with the same name and UUID.
   */
  export interface OutcomeReplace {
    tag: 'replace';
    val: string;
  }
}
