import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { runCli } from '../../src/cli/program.ts';

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CliBox {
  readonly root: string;
  readonly home: string;
  /** Runs a command line in this process; its output with the scratch folder written as <root>. */
  run(...argv: readonly string[]): Promise<CliResult>;
}

/** A machine of its own: a user's home without anything in it, no MMRELAY_ variables but those given. */
export function cliBox(env: Readonly<Record<string, string>> = {}): CliBox {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'mmrelay-cli-')));
  const before = process.cwd();
  for (const name of Object.keys(process.env)) if (name.startsWith('MMRELAY_')) vi.stubEnv(name, undefined);
  vi.stubEnv('HOME', root);
  vi.stubEnv('XDG_DATA_HOME', undefined);
  vi.stubEnv('XDG_CONFIG_HOME', undefined);
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value.replaceAll('<root>', root));
  process.chdir(root);
  onTestFinished(() => {
    process.chdir(before);
    vi.unstubAllEnvs();
    rmSync(root, { recursive: true, force: true });
  });
  return { root, home: join(root, '.mmrelay'), run: (...argv) => capture(root, argv) };
}

async function capture(root: string, argv: readonly string[]): Promise<CliResult> {
  const out: string[] = [];
  const err: string[] = [];
  const line = (words: readonly unknown[]): string =>
    `${words.map((word) => (word instanceof Error ? word.stack : String(word))).join(' ')}\n`;
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((...words) => void out.push(line(words))),
    vi.spyOn(console, 'error').mockImplementation((...words) => void err.push(line(words))),
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0),
  ];
  try {
    const code = await runCli(argv.map((word) => word.replaceAll('<root>', root)));
    const clean = (parts: readonly string[]): string => parts.join('').replaceAll(root, '<root>');
    return { code, out: clean(out), err: clean(err) };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
