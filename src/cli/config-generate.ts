import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { processEnv } from '../config/env.ts';
import { expandPath } from '../config/expand.ts';
import { sampleConfig } from '../config/sample.ts';
import { configCandidates } from '../config/search.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { errorText, RelayError } from '../util/relay-error.ts';
import { type GlobalFlags, homePaths } from './context.ts';

export interface GenerateFlags extends GlobalFlags {
  readonly output?: string | undefined;
  readonly force?: boolean | undefined;
}

/** `mmrelay config generate`: the sample, where it will be found. An existing file is never lost. */
export function configGenerate(flags: GenerateFlags): ExitCode {
  if (flags.output === '-') {
    process.stdout.write(sampleConfig());
    return EXIT.ok;
  }
  const { target, inTheWay } = chooseTarget(flags);
  const taken = existsSync(target) ? target : inTheWay;
  if (taken !== null && flags.force !== true) {
    console.error(`A config file already exists at: ${taken}`);
    console.error('Use --force to replace it (the old one is kept), or --output <path> to write another.');
    return EXIT.runtime;
  }
  const kept = writePrivately(target, sampleConfig());
  if (kept !== null) console.log(`The old file was kept as: ${kept}`);
  console.log(`Generated sample config file at: ${target}`);
  console.log('Edit it, then run: mmrelay auth login, mmrelay config check');
  return EXIT.ok;
}

/** What was named; else the home, unless a file elsewhere would be found as well. */
function chooseTarget(flags: GenerateFlags): { readonly target: string; readonly inTheWay: string | null } {
  const place = { env: processEnv(), cwd: process.cwd() };
  const named = flags.output ?? flags.config;
  if (named !== undefined) return { target: expandPath(named, place), inTheWay: null };
  const candidates = configCandidates({ cliPath: null, home: homePaths(flags).home.path, ...place });
  const [target = 'config.yaml', ...others] = candidates;
  return { target, inTheWay: others.find((path) => existsSync(path)) ?? null };
}

/** @returns where the old file went; null when there was none */
function writePrivately(target: string, text: string): string | null {
  try {
    if (statSync(target, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error('it is a directory');
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    const temporary = `${target}.${process.pid}.tmp`;
    rmSync(temporary, { force: true });
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    const kept = keepOld(target);
    renameSync(temporary, target);
    return kept;
  } catch (error) {
    throw new RelayError('CONFIG_UNWRITABLE', `${target} cannot be written: ${errorText(error)}`);
  }
}

function keepOld(target: string): string | null {
  if (!existsSync(target)) return null;
  for (let number = 0; ; number += 1) {
    const kept = number === 0 ? `${target}.bak` : `${target}.bak.${number}`;
    if (existsSync(kept)) continue;
    linkSync(target, kept);
    return kept;
  }
}
