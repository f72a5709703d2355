export { HookvisorError } from './errors.js';
