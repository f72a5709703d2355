import { expect, it } from 'vitest';
import { transpileComponent } from '../../../src/sandbox/glue/transpile.js';
import { passesText } from '../../support/other-worlds.js';

// The compiler is of no use after a trap, so this stands alone; the admission process takes one plug-in and ends.
it('a component at which the compiler gives up is said to use what is not supported, not to be invalid', async () => {
  await expect(transpileComponent(await passesText('utf16', 'utf16'))).rejects.toMatchObject({
    code: 'plugin-invalid',
    message:
      'Cannot admit the plugin: it uses something of the component model that Hookvisor does not support; ' +
      'build it again from its source',
  });
});
