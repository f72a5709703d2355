declare module 'hookvisor:hook/settings@0.1.0' {
  /**
   * The settings as JSON text; `{}` when none are configured. The same text at every call.
   */
  export function json(): string;
}
