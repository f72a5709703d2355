declare module 'hookvisor:hook/configurable@0.1.0' {
  /**
   * Called once when the plugin is loaded, on an instance of its own, with the settings in place and without a
   * document. An error keeps the configuration from being used; the text is shown to the administrator.
   */
  export function validate(): void;
}
