/** Works on several items at once and gives the results in the order of the items. The first error ends it. */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  concurrency: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const under: Promise<Result>[] = [];
  for await (const item of items) {
    const one = work(item);
    // It is awaited in its turn; until then a rejection must not count as unhandled.
    one.catch(() => undefined);
    under.push(one);
    if (under.length < concurrency) continue;
    const first = under.shift();
    if (first !== undefined) yield await first;
  }
  for (const one of under) yield await one;
}
