/** Processes items concurrently and yields the results in the order of the items. The first error ends it. */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  concurrency: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const inFlight: Promise<Result>[] = [];
  for await (const item of items) {
    const one = work(item);
    // It is awaited in turn; until then a rejection must not count as unhandled.
    one.catch(() => undefined);
    inFlight.push(one);
    if (inFlight.length < concurrency) continue;
    const first = inFlight.shift();
    if (first !== undefined) yield await first;
  }
  for (const one of inFlight) yield await one;
}
