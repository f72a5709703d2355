import type { Budget } from './budget.js';
import type { Axis } from './expression.js';
import { nodeKinds } from './tree.js';
import type { XmlTree } from './tree.js';

/** Steps for visiting one node of an axis. */
const lookSteps = 4;

/** A document and the budget that pays for visiting its nodes. */
export interface Walk {
  readonly tree: XmlTree;
  readonly budget: Budget;
}

/** Visits the nodes of an axis, nearest first, as libxml2 does. */
export function visitAxis({ tree, budget }: Walk, axis: Axis, node: number, take: (node: number) => void): void {
  const { kinds, parents, ends, insides } = tree;
  const visit = (one: number): void => {
    budget.spend(lookSteps);
    take(one);
  };
  const parent = (of: number): number => parents[of] ?? -1;
  const end = (of: number): number => ends[of] ?? of;
  const inside = (of: number): number => insides[of] ?? tree.count;
  /** Visits the siblings from `first` up to `last`. */
  const siblings = (first: number, last: number): void => {
    for (let one = first; one <= last; one = end(one) + 1) visit(one);
  };
  const isAttribute = kinds[node] === nodeKinds.attribute;
  switch (axis) {
    case 'self':
      visit(node);
      return;
    case 'parent':
      if (node > 0) visit(parent(node));
      return;
    case 'ancestor-or-self':
    case 'ancestor':
      for (let one = axis === 'ancestor' ? parent(node) : node; one >= 0; one = parent(one)) visit(one);
      return;
    case 'attribute':
      if (!isAttribute)
        for (let one = node + 1; one < inside(node) && kinds[one] === nodeKinds.attribute; one += 1) visit(one);
      return;
    case 'child':
      siblings(inside(node), end(node));
      return;
    case 'descendant':
    case 'descendant-or-self':
      if (axis === 'descendant-or-self') visit(node);
      for (let one = inside(node); one <= end(node); one = inside(one)) visit(one);
      return;
    case 'following-sibling':
      if (!isAttribute && node > 0) siblings(end(node) + 1, end(parent(node)));
      return;
    case 'preceding-sibling': {
      if (isAttribute || node === 0) return;
      const before: number[] = [];
      for (let one = inside(parent(node)); one < node; one = end(one) + 1) {
        budget.spend(lookSteps);
        budget.allocate(8);
        before.push(one);
      }
      before.reverse().forEach(visit);
      return;
    }
  }
}
