import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** True when a person can answer, and did not say beforehand that nothing shall be asked. */
export function isInteractive(flags: { readonly yes?: boolean | undefined } = {}): boolean {
  return flags.yes !== true && process.stdin.isTTY === true && process.stdout.isTTY === true;
}

/** Asks one question on the terminal; an ended input, or `signal`, is an empty answer. */
export function ask(question: string, signal?: AbortSignal): Promise<string> {
  return readLine({ question, output: process.stdout, signal });
}

/** Asks for something that must not be seen while it is typed. */
export async function askSecret(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // The question is shown once the terminal has stopped to echo.
  const answer = await readLine({ question: '', output: nowhere, onOpen: () => process.stdout.write(question) });
  process.stdout.write('\n');
  return answer;
}

async function readLine(options: {
  readonly question: string;
  readonly output: NodeJS.WritableStream;
  readonly onOpen?: () => void;
  readonly signal?: AbortSignal | undefined;
}): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: options.output, terminal: true });
  const close = (): void => terminal.close();
  options.signal?.addEventListener('abort', close, { once: true });
  // The terminal swallows it while a question is open; whoever presses it wants the command to end.
  terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  try {
    options.onOpen?.();
    return await Promise.race([terminal.question(options.question), ended]);
  } finally {
    options.signal?.removeEventListener('abort', close);
    terminal.close();
  }
}
