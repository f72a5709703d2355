import { seededRandom } from './seeded-random.js';

/**
 * Replaces `random` of `Math` with numbers that are seeded from the event. Returns a function that starts the numbers
 * of an event, given its id. Before its first call, while a plug-in is built or checks its settings, the seed is empty.
 */
export function seedByEvent(math: Pick<Math, 'random'>): (id: string) => void {
  let random = seededRandom('');
  math.random = () => random();
  return (id) => {
    // Most handlers use no random numbers and should not pay for a seed.
    random = () => (random = seededRandom(id))();
  };
}
