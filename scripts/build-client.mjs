// @ts-check
/**
 * Builds the hook client: `node scripts/build-client.mjs [FOLDER]`, default dist/. Always copies native/client.mjs to
 * FOLDER/hook-client.mjs; compiles native/client.c to FOLDER/hook-client where there is a C compiler (CC, default cc).
 * Without one it says so and succeeds: the client in Node does the same, only slower.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'native', 'client.c');
const fallback = join(root, 'native', 'client.mjs');
const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-std=gnu11'];
const emptyProgram = '#include <sys/socket.h>\nint main(void) { return 0; }\n';

const folder = resolve(process.argv[2] ?? join(root, 'dist'));
const compiler = process.env['CC'] ?? 'cc';
const client = join(folder, 'hook-client');
const stamp = join(folder, '.hook-client.stamp');
const temporary = `${client}.${process.pid}.tmp`;

/**
 * Runs the compiler; null when it succeeded, else what it said.
 * @param {readonly string[]} args
 * @param {string} [input]
 * @returns {string | null}
 */
function compile(args, input) {
  const run = spawnSync(compiler, args, { encoding: 'utf8', input: input ?? '' });
  if (run.error) return run.error.message;
  return run.status === 0 ? null : run.stderr;
}

/** @returns {string | null} null when the file is there and was made from this source with these flags */
function currentStamp() {
  try {
    readFileSync(client);
    return readFileSync(stamp, 'utf8');
  } catch {
    return null;
  }
}

/** @returns {number} the exit status */
function build() {
  mkdirSync(folder, { recursive: true });
  copyFileSync(fallback, `${temporary}.mjs`);
  chmodSync(`${temporary}.mjs`, 0o755);
  renameSync(`${temporary}.mjs`, `${client}.mjs`);

  const wanted = createHash('sha256')
    .update(readFileSync(source))
    .update(JSON.stringify([compiler, flags]))
    .digest('hex');
  if (currentStamp() === wanted) return 0;

  const output = ['-o', temporary, source];
  let refusal = compile(['-static', ...flags, ...output]);
  if (refusal !== null) {
    refusal = compile([...flags, ...output]);
    if (refusal === null) {
      process.stdout.write(
        `note: ${client} is linked dynamically, since '${compiler} -static' fails: it starts slower\n`,
      );
    }
  }
  if (refusal === null) {
    renameSync(temporary, client);
    writeFileSync(`${stamp}.${process.pid}`, wanted);
    renameSync(`${stamp}.${process.pid}`, stamp);
    return 0;
  }
  rmSync(temporary, { force: true });
  if (compile(['-x', 'c', '-', '-o', temporary], emptyProgram) === null) {
    rmSync(temporary, { force: true });
    process.stderr.write(`Cannot compile '${source}' with '${compiler}':\n${refusal}`);
    return 1;
  }
  rmSync(temporary, { force: true });
  rmSync(client, { force: true }); // one built from another source would be preferred to the fallback
  rmSync(stamp, { force: true });
  process.stdout.write(
    `note: no working C compiler ('${compiler}'), so hooks use the client in Node: ${client}.mjs, about 60 ms slower ` +
      `for each hook call; install gcc and libc6-dev, then run npm run build again\n`,
  );
  return 0;
}

process.exitCode = build();
