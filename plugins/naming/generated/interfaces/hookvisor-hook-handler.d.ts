/// <reference path="./hookvisor-hook-types.d.ts" />
declare module 'hookvisor:hook/handler@0.1.0' {
  /**
   * Decides one event. Called once on a fresh instance, which is thrown away afterwards: nothing that is kept in
   * memory, globals or tables is seen by the next event.
   */
  export function handle(event: Event): Outcome;
  export type Event = import('hookvisor:hook/types@0.1.0').Event;
  export type Outcome = import('hookvisor:hook/types@0.1.0').Outcome;
}
