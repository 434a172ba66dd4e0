import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { codeStamp, commitStamp } from '../../../src/plugins/sources/code-stamp.ts';
import { createRepository, tempFolder } from './git-server.ts';

it('tells when a file of the plugin came, went or changed, and nothing else', () => {
  const folder = tempFolder();
  const write = (file: string, text: string): void => {
    mkdirSync(join(folder, file, '..'), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  write('index.ts', '1');
  const seen = [codeStamp(folder)];
  const look = (): string => {
    seen.push(codeStamp(folder));
    return seen.at(-1) ?? '';
  };
  write('data/notes.json', '{}');
  write('node_modules/x/index.js', '');
  expect(look()).toBe(seen[0]);
  write('lib/part.ts', '1');
  write('lib/part.ts', '22');
  expect(look()).not.toBe(seen[0]);
  rmSync(join(folder, 'lib'), { recursive: true });
  expect(look()).toBe(seen[0]);
  expect(codeStamp(join(folder, 'index.ts'))).toBe(seen[0]);
  expect(codeStamp(join(folder, 'gone.ts'))).toBe('');
});

it('of a checkout it is the commit', () => {
  const repository = createRepository();
  repository.commit({ 'index.js': '1' });
  repository.git('checkout', '--quiet', '--detach');
  const first = commitStamp(repository.path);
  expect(first).toBe(repository.git('rev-parse', 'HEAD'));
  repository.commit({ 'index.js': '2' });
  expect(commitStamp(repository.path)).not.toBe(first);
  expect(commitStamp(tempFolder())).toBe('');
});
