import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createHomeserver, type Homeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { createVirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { Terminal, terminalMissing } from './support/terminal.ts';

const missing = terminalMissing();
const title = 'setup at a real terminal';
const ENTER = '\r';
const CONTROL_C = '\u0003';

describe.skipIf(missing !== null)(missing === null ? title : `${title} (skipped: ${missing})`, () => {
  let home: string;
  let server: Homeserver;
  let radio: string;

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'mmrelay-setup-'));
    server = await createHomeserver({ serverName: 'test.local' });
    server.registerUser('relay', 'a secret word');
    const virtual = await createVirtualRadio({ longName: 'Roof', region: 'EU_868' });
    radio = `127.0.0.1:${virtual.port}`;
    onTestFinished(async () => {
      await Promise.all([server.close(), virtual.close()]);
      rmSync(home, { recursive: true, force: true });
    });
  });

  const start = (): Terminal => new Terminal([process.execPath, 'src/main.ts', 'setup'], { HOME: home });

  it('asks, shows no password, makes the room, writes and checks the configuration', async () => {
    const terminal = start();
    await terminal.answer('host[:port]', `${radio}${ENTER}`);
    await terminal.answer('Name of your mesh', ENTER);
    await terminal.answer('homeserver URL', `${server.baseUrl}${ENTER}`);
    await terminal.answer('Matrix username', `relay${ENTER}`);
    await terminal.answer('Matrix password', `a secret word${ENTER}`);
    await terminal.answer('Channel 0', ENTER);
    await terminal.answer('Name of the new room', `Hills${ENTER}`);
    await terminal.answer('invited', `-${ENTER}`);
    await terminal.answer('encrypted', ENTER);
    await terminal.answer('systemd', `n${ENTER}`);
    expect(await terminal.ended, terminal.shown).toBe(0);
    expect(terminal.shown).not.toContain('a secret word');
    expect(terminal.shown).toContain('✅ Roof (');
    expect(terminal.shown).toContain('✅ Room "Hills" made: !');
    expect(terminal.shown).toMatch(/✅ !.+: joined, not encrypted/);
    expect(readFileSync(join(home, '.mmrelay', 'config.yaml'), 'utf8')).toMatch(/ {2}- id: "!.+"\n/);
  });

  it('ends at Ctrl-C, and nothing was written', async () => {
    const terminal = start();
    await terminal.answer('host[:port]', `${radio}${ENTER}`);
    await terminal.answer('Name of your mesh', CONTROL_C);
    expect(await terminal.ended).not.toBe(0);
    expect(existsSync(join(home, '.mmrelay'))).toBe(false);
  });
});
