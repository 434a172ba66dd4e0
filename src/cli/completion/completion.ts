import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../../util/exit-code.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { zshScript } from './zsh.ts';

/** `mmrelay completion <shell>`. */
export function completion(shell: string, program: Command): ExitCode {
  if (shell === 'bash') console.log(bashScript(program));
  else if (shell === 'zsh') console.log(zshScript(program));
  else console.log(fishScript(program));
  return EXIT.ok;
}
