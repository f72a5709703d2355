/** The public API. Everything else may change without notice. */
export { loadConfig, parseConfig } from './runtime/config/load.js';
export { ConfigError } from './runtime/config/config-error.js';
export { configFrom, createRuntime } from './runtime/runtime.js';
export { startServer } from './runtime/listener/server.js';
export { statusSchema } from './contract/status.js';
export { verdictSchema } from './contract/verdict.js';
export { HookvisorError } from './contract/errors.js';
export { catalog, denialIsAnswered, effectOf, lookUp, takesDocument } from './runtime/libvirt/catalog.js';
export { createLog } from './runtime/log.js';
export { HandlerFailure } from './contract/outcome.js';
export { version } from './runtime/version.js';

export type { ConfigProblem } from './runtime/config/config-error.js';
export type { BackendName } from './contract/backend-name.js';
export type { Config, FailurePolicy, HandlerConfig, Route, RouteMatch } from './runtime/config/config.js';
export type { Decision } from './runtime/engine.js';
export type { Runtime, RuntimeOptions } from './runtime/runtime.js';
export type { HookServer } from './runtime/listener/server.js';
export type { RuntimeStatus } from './contract/status.js';
export type { HandlerRecord, Verdict } from './contract/verdict.js';
export type { ErrorCode, ErrorFields } from './contract/errors.js';
export type { HookCall, HookEvent } from './contract/event.js';
export type { DocumentKind, Effect, Operation } from './runtime/libvirt/catalog.js';
export type { Limits } from './contract/limits.js';
export type { Log } from './runtime/log.js';
export type { Evaluation, FailureCode, LogLine, Outcome } from './contract/outcome.js';
