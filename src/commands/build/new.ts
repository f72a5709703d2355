import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { newProject } from './new-project.js';
import { languages, type Language } from './project.js';
import { jsonLine } from '../../contract/text.js';
import { type CommandContext, exitStatus, newCommand } from '../command.js';

interface NewOptions {
  readonly language: Language;
  readonly json?: true;
}

/** Implements `hookvisor new`: creates a project that builds and whose tests pass. */
export function newProjectCommand({ terminal, finish }: CommandContext): Command {
  const { out } = terminal;
  return newCommand('new', 'create a plug-in project with passing test cases', [
    'hookvisor new naming --language ts',
    'hookvisor new quota --language c && hookvisor build quota && hookvisor test quota',
  ])
    .argument('<name>', 'the folder to create; its last part becomes the name of the plug-in')
    .requiredOption('-l, --language <language>', languages.join(', '), languageOption)
    .option('--json', 'print the result as JSON')
    .action(async (folder: string, { language, json }: NewOptions) => {
      const files = await newProject(folder, language);
      if (json === true) out.write(jsonLine({ folder, language, files }));
      else {
        for (const file of files) out.write(`  ${join(folder, file)}\n`);
        out.write(`\nNext: hookvisor build ${folder} && hookvisor test ${folder}\n`);
      }
      finish(exitStatus.success);
    });
}

function languageOption(text: string): Language {
  const found = languages.find((language) => language === text);
  if (found === undefined) throw new InvalidArgumentError(`Expected one of ${languages.join(', ')}.`);
  return found;
}
