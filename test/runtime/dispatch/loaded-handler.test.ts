import { describe, expect, it } from 'vitest';
import { linkHandlers } from '../../../src/runtime/dispatch/loaded-handler.js';
import { handlerOf } from '../../support/handlers.js';

function entry(name: string, fallback?: string): [string, ReturnType<typeof handlerOf>] {
  const failurePolicy =
    fallback === undefined ? ({ policy: 'fail' } as const) : ({ policy: 'fallback', handler: fallback } as const);
  return [name, handlerOf({ name, failurePolicy }, () => ({ outcome: 'allow' }))];
}

describe('linking handlers', () => {
  it('ties a handler to its fallback, and that one to its own', () => {
    const linked = linkHandlers(new Map([entry('a', 'b'), entry('b', 'c'), entry('c')]));
    expect(linked.get('a')?.fallback?.config.name).toBe('b');
    expect(linked.get('a')?.fallback?.fallback?.config.name).toBe('c');
    expect(linked.get('c')?.fallback).toBeNull();
  });

  it('leaves out a fallback that does not exist or that leads back', () => {
    const linked = linkHandlers(new Map([entry('a', 'b'), entry('b', 'a'), entry('lost', 'ghost')]));
    expect(linked.get('a')?.fallback?.fallback).toBeNull();
    expect(linked.get('b')?.fallback?.config.name).toBe('a');
    expect(linked.get('lost')?.fallback).toBeNull();
  });
});
