import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../../util/duration.ts';

/** Milliseconds of an option such as `--for 10m`. Read with the command line: a wrong time is a mistake of usage. */
export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError('write a time as 90s, 10m or 2h');
  return ms;
}
