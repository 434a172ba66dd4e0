import { symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { oldRelaysOn, openedBy } from '../../src/observe/open-files.ts';
import { put, scratch } from '../support/old-homes.ts';
import { holderOf, oldRelayOn } from '../support/old-relay-process.ts';

describe.skipIf(process.platform !== 'linux')('who has a file open', () => {
  test('a process is seen by whatever path it came, until it ends', async () => {
    const home = join(scratch(), 'home');
    const link = join(dirname(home), 'link');
    const file = join(home, 'meshtastic.sqlite');
    put(file, '');
    symlinkSync(home, link);
    const holder = await holderOf(join(link, 'meshtastic.sqlite'));

    expect(openedBy([file, join(home, 'not-there')])).toEqual([holder.pid]);
    expect(openedBy([join(home, 'not-there')])).toEqual([]);

    await holder.end();
    expect(openedBy([file])).toEqual([]);
  });

  test('a file of the same name elsewhere is another one', async () => {
    const folder = scratch();
    for (const home of ['a', 'b']) put(join(folder, home, 'meshtastic.sqlite'), '');
    await holderOf(join(folder, 'a', 'meshtastic.sqlite'));

    expect(openedBy([join(folder, 'b', 'meshtastic.sqlite')])).toEqual([]);
  });

  test('the Python relay is told from a backup or a shell that reads the same database', async () => {
    const file = join(scratch(), 'meshtastic.sqlite');
    put(file, '');
    await holderOf(file);
    const script = await holderOf(file, { program: 'python3', script: 'mmrelay-rows' });
    const relay = await oldRelayOn(file);

    expect(oldRelaysOn(file)).toEqual([relay.pid]);
    expect(openedBy([file])).toContain(script.pid);
  });
});
