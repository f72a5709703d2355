import { NoAnswer } from './no-answer.js';

/**
 * Settles as `promise` does, or rejects with NoAnswer after the deadline. The deadline is a time on the clock of
 * performance.now().
 */
export function inTime<T>(promise: Promise<T>, deadline: number, reason: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    const leftMs = Math.max(0, deadline - performance.now());
    timer = setTimeout(() => {
      reject(new NoAnswer(reason));
    }, leftMs);
  });
  return Promise.race([promise, over]).finally(() => {
    clearTimeout(timer);
  });
}
