// @ts-check
// Measures everything that docs/performance.md states, in one run.
//   node bench/run.mjs [--json] [--save] [--only NAME] [--scale N]
// --save writes bench/results/; --only runs one section; --scale 0.2 is quick, 3 is thorough.
// Exit status: 0 all targets met, 1 a target missed, 2 bad arguments.
import { parseArgs } from 'node:util';
import { hookCall } from './sections/hook-call.mjs';
import { machineOf, momentOf } from './support/machine.mjs';
import { judge, reportText } from './support/report.mjs';
import { saveResults } from './support/results.mjs';
import { openStage } from './support/stage.mjs';
import { inside } from './sections/inside.mjs';
import { throughput } from './sections/throughput.mjs';
import { growth } from './sections/growth.mjs';
import { isolation } from './sections/isolation.mjs';
import { memoryAndStart } from './sections/memory-and-start.mjs';

const sections = {
  'hook-call': hookCall,
  inside,
  throughput,
  growth,
  'memory-and-start': memoryAndStart,
  isolation,
};

process.exitCode = await main();

async function main() {
  const options = readArguments();
  if (options === null) return 2;
  const stage = await openStage();
  try {
    const before = await momentOf(stage);
    const measured = [];
    for (const [name, section] of Object.entries(sections)) {
      if (options.only !== undefined && options.only !== name) continue;
      console.error(`bench: ${name}`);
      measured.push({ section: name, ...(await section(stage, options)) });
    }
    const targets = measured.flatMap((one) => one.targets).map(judge);
    const machine = machineOf(before, await momentOf(stage));
    const report = { machine, targets, sections: measured };
    if (options.save) await saveResults(report);
    if (options.json) console.log(JSON.stringify(report, null, 2));
    else console.log(reportText(report));
    return targets.every(({ met }) => met) ? 0 : 1;
  } finally {
    await stage.close();
  }
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        save: { type: 'boolean', default: false },
        only: { type: 'string' },
        scale: { type: 'string', default: '1' },
      },
    });
    const { only, json, save } = values;
    const scale = Number(values.scale);
    if (!(scale > 0)) throw new Error(`--scale takes a number above 0, not '${values.scale}'`);
    if (only !== undefined && !(only in sections)) {
      throw new Error(`there is no section '${only}', only ${Object.keys(sections).join(', ')}`);
    }
    return { json, save, scale, ...(only === undefined ? {} : { only }) };
  } catch (error) {
    console.error(`Cannot run the bench: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
