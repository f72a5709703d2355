/// <reference path="./interfaces/hookvisor-hook-configurable.d.ts" />
/// <reference path="./interfaces/hookvisor-hook-document.d.ts" />
/// <reference path="./interfaces/hookvisor-hook-handler.d.ts" />
/// <reference path="./interfaces/hookvisor-hook-log.d.ts" />
/// <reference path="./interfaces/hookvisor-hook-settings.d.ts" />
/// <reference path="./interfaces/hookvisor-hook-types.d.ts" />
declare module 'hookvisor:hook/configurable-hook-handler@0.1.0' {
  export type * as HookvisorHookDocument010 from 'hookvisor:hook/document@0.1.0'; // import hookvisor:hook/document@0.1.0
  export type * as HookvisorHookLog010 from 'hookvisor:hook/log@0.1.0'; // import hookvisor:hook/log@0.1.0
  export type * as HookvisorHookSettings010 from 'hookvisor:hook/settings@0.1.0'; // import hookvisor:hook/settings@0.1.0
  export type * as HookvisorHookTypes010 from 'hookvisor:hook/types@0.1.0'; // import hookvisor:hook/types@0.1.0
  export * as configurable from 'hookvisor:hook/configurable@0.1.0'; // export hookvisor:hook/configurable@0.1.0
  export * as handler from 'hookvisor:hook/handler@0.1.0'; // export hookvisor:hook/handler@0.1.0
}
