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
    id: string,
    /**
     * When the runtime received the call, in milliseconds since the Unix epoch.
     */
    time: bigint,
    /**
     * `domain`, `network` or `daemon`; a newer libvirt may add others.
     */
    kind: string,
    /**
     * Name of the object, as libvirt wrote it. Hostile input: it may hold any character but NUL.
     */
    name: string,
    /**
     * libvirt's operation: `prepare`, `start`, `migrate`, …
     */
    event: string,
    /**
     * libvirt's sub-operation: `begin`, `end`, …; `-` when there is none.
     */
    qualifier: string,
    /**
     * libvirt's extra argument, when it is not `-`.
     */
    extra?: string,
    /**
     * libvirt's hook name: `qemu`, `lxc`, `libxl`, `bhyve`, `network` or `daemon`.
     */
    driver: string,
    /**
     * The object's UUID in lower case, when the document names it.
     */
    uuid?: string,
  }
  /**
   * What a handler decided.
   */
  export type Outcome = OutcomeAllow | OutcomeDeny | OutcomeReplace;
  /**
   * No objection. The next handler is asked.
   */
  export interface OutcomeAllow {
    tag: 'allow',
  }
  /**
   * The operation must not happen. The text is shown to the user who asked for it.
   */
  export interface OutcomeDeny {
    tag: 'deny',
    val: string,
  }
  /**
   * Go on with this document instead. Only for operations whose document libvirt takes back
   * (`migrate`, `restore`), only with the grant `replace`, and with the same name and UUID.
   */
  export interface OutcomeReplace {
    tag: 'replace',
    val: string,
  }
}
