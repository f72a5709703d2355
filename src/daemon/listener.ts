/**
 * Answers a request with a frame. It is given the bytes of the request's frame, those of its header when that is none,
 * and null when none came in time. Never rejects.
 */
export type Answer = (request: Buffer | null) => Promise<Buffer>;

/** What listens on a socket and hands over requests: one for each connection. */
export interface Listener {
  /** Takes no further request. When it resolves, all that were taken have been handed over. */
  stop(): Promise<void>;
  /** To be called when everything is answered; resolves when the answers have been handed over. */
  close(): Promise<void>;
}

export interface ListenerOptions {
  readonly place: Place;
  readonly answer: Answer;
  /** How long a connection may take to deliver its one request, and again to take its answer, milliseconds. */
  readonly patienceMs: number;
}

/** Where to listen: a path that nothing is bound to, or a socket that listens already. */
export type Place = { readonly path: string } | { readonly descriptor: number };
