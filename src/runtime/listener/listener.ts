/**
 * Answers a request with a frame. Receives the bytes of the request frame, only its header if the frame is malformed,
 * or null if none arrived in time. Never rejects.
 */
export type Answer = (request: Buffer | null) => Promise<Buffer>;

/** Listens on a socket and passes on requests, one per connection. */
export interface Listener {
  /** Stops accepting requests. Resolves when all accepted requests have been passed on. */
  stop(): Promise<void>;
  /** To be called after the last answer; resolves when all answers have been delivered. */
  close(): Promise<void>;
}

export interface ListenerOptions {
  readonly place: Place;
  readonly answer: Answer;
  /** Timeout for a connection to deliver its request, and again to receive its answer, milliseconds. */
  readonly patienceMs: number;
}

/** Where to listen: an unused path, or a socket that is already listening. */
export type Place = { readonly path: string } | { readonly descriptor: number };
