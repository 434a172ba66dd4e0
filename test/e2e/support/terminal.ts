import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

const SCRIPT = fileURLToPath(new URL('./terminal.py', import.meta.url));

/** Why there is no terminal to be had here; null when there is. */
export function terminalMissing(): string | null {
  try {
    execFileSync('python3', ['-c', 'import pty'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'python3 with the module pty is needed';
  }
}

/** A command in a terminal, and somebody at its keyboard. */
export class Terminal {
  /** All that was shown. */
  shown = '';
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;
  #answered = 0;

  constructor(command: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn('python3', [SCRIPT, ...command], {
      env: { ...process.env, TERM: 'xterm', LC_ALL: 'C.UTF-8', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout?.on('data', (chunk) => {
      this.shown += String(chunk);
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code) => resolve(code ?? -1));
    });
  }

  /** Waits until `question` is shown that was not answered yet, and types. */
  async answer(question: string, typed: string): Promise<void> {
    await eventually(`the question "${question}"`, () => {
      const at = this.shown.indexOf(question, this.#answered);
      if (at < 0) return null;
      this.#answered = at + question.length;
      return true;
    });
    this.#child.stdin?.write(typed);
  }
}
