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
