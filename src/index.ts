/** The public API. Everything else may change without notice. */
export { loadConfig, parseConfig } from './config/load.js';
export { ConfigError } from './config/config-error.js';
export { configFrom, createRuntime } from './daemon/runtime.js';
export { startServer } from './daemon/server.js';
export { statusSchema } from './daemon/status.js';
export { verdictSchema } from './dispatch/verdict.js';
export { HookvisorError } from './errors.js';
export { catalog, denialIsAnswered, effectOf, lookUp, takesDocument } from './libvirt/catalog.js';
export { createLog } from './log.js';
export { HandlerFailure } from './outcome.js';
export { version } from './version.js';

export type { ConfigProblem } from './config/config-error.js';
export type { BackendName, Config, FailurePolicy, HandlerConfig, Route, RouteMatch } from './config/config.js';
export type { Decision } from './daemon/engine.js';
export type { Runtime, RuntimeOptions } from './daemon/runtime.js';
export type { HookServer } from './daemon/server.js';
export type { RuntimeStatus } from './daemon/status.js';
export type { HandlerRecord, Verdict } from './dispatch/verdict.js';
export type { ErrorCode, ErrorFields } from './errors.js';
export type { HookCall, HookEvent } from './event.js';
export type { DocumentKind, Effect, Operation } from './libvirt/catalog.js';
export type { Limits } from './limits.js';
export type { Log } from './log.js';
export type { Evaluation, FailureCode, LogLine, Outcome } from './outcome.js';
