import { bulk, divisions, op, readInstruction } from '../wasm/wasm-code.js';
import type { Instruction } from '../wasm/wasm-code.js';
import { WasmReader } from '../wasm/wasm-reader.js';

/** The charges for a function's code. */
export interface StepPlan {
  readonly loops: boolean;
  /** How many steps to charge, by offset in the code. */
  readonly steps: ReadonlyMap<number, number>;
}

export interface PlanOptions {
  /** Whether the function charges for its own entry. */
  readonly pays: boolean;
  /** Functions that charge for their own entry. */
  readonly paying: ReadonlySet<number>;
  /** Work of entering and leaving the function, in plain instructions. */
  readonly frame: number;
}

/** Work that one step pays for, in plain instructions. */
const workOfStep = 256;

/** An open block, and the most unpaid work with which code can reach its targets. */
interface Label {
  /** Whether a branch to it goes to its beginning, which is charged, instead of its end. */
  readonly loops: boolean;
  /** At the `else` of an `if`, or at its end if it has none. */
  otherwise: number;
  end: number;
}

/** Marks unreachable code. */
const nowhere = -1;

/**
 * Plans the charges for a function's code. A call and an iteration of a loop cost one step each, and so does each run
 * of 256 instructions. Charges are placed at the beginning of each straight run. Where paths meet, the largest amount
 * of unpaid work counts, so no choice of branches runs more than 256 instructions for a step. Some instructions count
 * as several.
 */
export function planSteps(code: Buffer, { pays, paying, frame }: PlanOptions): StepPlan {
  const reader = new WasmReader(code);
  const steps = new Map<number, number>();
  const labels: Label[] = [{ loops: false, otherwise: nowhere, end: nowhere }];
  let stretchAt = 0;
  let loops = false;
  let unpaid = 0;
  const add = (count: number): void => {
    if (count > 0) steps.set(stretchAt, (steps.get(stretchAt) ?? 0) + count);
  };
  const work = (amount: number): void => {
    if (unpaid === nowhere) return;
    add(Math.floor((unpaid + amount) / workOfStep));
    unpaid = (unpaid + amount) % workOfStep;
  };
  const branch = (depth: number): void => {
    const label = labels[labels.length - 1 - depth];
    if (label?.loops === false) label.end = Math.max(label.end, unpaid);
  };

  if (pays) add(1);
  work(frame);
  while (!reader.done) {
    const instruction = readInstruction(reader);
    const { opcode, index } = instruction;
    work(workOf(instruction));
    if (calls.has(opcode) && !(opcode === op.call && paying.has(index))) add(1);
    if (opcode === op.block) labels.push({ loops: false, otherwise: nowhere, end: nowhere });
    if (!parting.has(opcode)) continue;
    stretchAt = reader.at;
    switch (opcode) {
      case op.loop:
        labels.push({ loops: true, otherwise: nowhere, end: nowhere });
        loops = true;
        add(1);
        // The unpaid work is less than the step just charged for the iteration.
        if (unpaid !== nowhere) unpaid = 0;
        break;
      case op.if:
        labels.push({ loops: false, otherwise: unpaid, end: nowhere });
        break;
      case op.else: {
        const label = labels.at(-1);
        if (label === undefined) break;
        label.end = Math.max(label.end, unpaid);
        unpaid = label.otherwise;
        label.otherwise = nowhere;
        break;
      }
      case op.end: {
        const label = labels.pop();
        unpaid = Math.max(unpaid, label?.end ?? nowhere, label?.otherwise ?? nowhere);
        break;
      }
      case op.brIf:
        branch(index);
        break;
      case op.br:
        branch(index);
        unpaid = nowhere;
        break;
      case op.brTable:
        instruction.targets.forEach(branch);
        unpaid = nowhere;
        break;
      default:
        unpaid = nowhere;
    }
  }
  return { loops, steps };
}

const calls: ReadonlySet<number> = new Set([op.call, op.callIndirect, op.returnCall, op.returnCallIndirect]);

/** Instructions after which the function, or the whole plug-in, does not continue. */
export const leaves: ReadonlySet<number> = new Set([op.return, op.returnCall, op.returnCallIndirect, op.unreachable]);

/** Instructions that end a straight run: code branches away, or branches arrive. */
const parting: ReadonlySet<number> = new Set([
  ...[op.loop, op.if, op.else, op.end, op.br, op.brIf, op.brTable],
  ...leaves,
]);

/**
 * Returns how many plain instructions take about as long as this one. Divisions and square roots are slow in the
 * processor, and instructions for which the engine makes a call are the slowest.
 */
function workOf({ opcode, sub }: Instruction): number {
  if (opcode === vectorPrefix) return slowVectors.has(sub) ? slow : 1;
  if (opcode === op.bulk) return sub >= bulk.memoryInit ? 16 : 1;
  return heavy.get(opcode) ?? 1;
}

/**
 * Weight of multiplication, division, square root and change of precision of floats. If an operand or result is
 * denormal, the processor uses microcode, which takes 27 to 43 ns: a hundred times as long as usual.
 */
const slow = 16;
/** For f32 and f64: sqrt, mul, div, demote, promote. */
const slowFloats = [0x91, 0x94, 0x95, 0x9f, 0xa2, 0xa3, 0xb6, 0xbb] as const;
const vectorPrefix = 0xfd;
/** For f32x4 and f64x2: demote, promote, sqrt, mul, div. */
const slowVectors: ReadonlySet<number> = new Set([0x5e, 0x5f, 0xe3, 0xe6, 0xe7, 0xef, 0xf2, 0xf3]);

const heavy: ReadonlyMap<number, number> = new Map([
  ...[op.tableGet, op.tableSet, op.refFunc].map((opcode) => [opcode, 64] as const),
  ...divisions.map((opcode) => [opcode, 4] as const),
  ...slowFloats.map((opcode) => [opcode, slow] as const),
]);
