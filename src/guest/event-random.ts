import { seededRandom } from './seeded-random.js';

/**
 * Replaces `random` of `Math` by numbers that are seeded from the event: the function that is returned begins those of an
 * event, by its id. Before that, as long as a plugin is being built or checks its settings, the seed is empty.
 */
export function seedByEvent(math: Pick<Math, 'random'>): (id: string) => void {
  let random = seededRandom('');
  math.random = () => random();
  return (id) => {
    // Most handlers ask for no number, and then pay for no seed.
    random = () => (random = seededRandom(id))();
  };
}
