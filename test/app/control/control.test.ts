import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { askDaemon } from '../../../src/app/control/client.ts';
import { MAX_REQUEST_CHARS, parseRequest } from '../../../src/app/control/protocol.ts';
import { type ControlServer, startControlServer, type VerbHandlers } from '../../../src/app/control/server.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { RelayError } from '../../../src/util/relay-error.ts';
import { until } from '../../support/relay-world.ts';

const open: ControlServer[] = [];
const homes: string[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

function newHome(...below: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'mmrelay-control-'));
  homes.push(root);
  const home = join(root, ...below);
  mkdirSync(home, { recursive: true });
  return home;
}

const VERBS: VerbHandlers = {
  status: () => {
    throw new TypeError('a defect made for this test');
  },
  'radio-release': (args) => ({ radio: String(args.radio), untilMs: Number(args.forMs) }),
  'radio-claim': () => {
    throw new RelayError('RADIO_NOT_RELEASED', 'Radio default is not released');
  },
  reload: () => ({ applied: [], restart: [], errors: [], warnings: [] }),
};

async function serve(home: string, change: { verbs?: Partial<VerbHandlers>; clock?: ManualClock } = {}) {
  const { verbs = {}, clock = systemClock } = change;
  const server = await startControlServer({ home, verbs: { ...VERBS, ...verbs }, clock, logger: silentLogger });
  if (server === null) throw new Error('the control server did not start');
  open.push(server);
  return server;
}

const release = (home: string): Promise<unknown> =>
  askDaemon(home, 'radio-release', { args: { radio: 'roof', forMs: 60_000 } });

/** A client of another make: sends this, gives what comes. */
function talk(home: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(join(home, 'control.sock'), () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += String(chunk);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

test('a question is answered; only this user may ask; the socket goes with the server', async () => {
  const home = newHome();
  const server = await serve(home);
  expect(statSync(join(home, 'control.sock')).mode & 0o777).toBe(0o600);
  expect(await release(home)).toEqual({ radio: 'roof', untilMs: 60_000 });
  await server.close();
  expect(existsSync(join(home, 'control.sock'))).toBe(false);
});

test('what the relay refuses and what it fails at reach the one who asked, in words', async () => {
  const home = newHome();
  await serve(home);
  await expect(askDaemon(home, 'radio-claim', { args: { radio: null } })).rejects.toThrow('is not released');
  await expect(askDaemon(home, 'status', { args: {} })).rejects.toThrow('its log says why');
  expect(await release(home)).toBeDefined();
});

test('nobody there, a dead socket, another user: each has its code', async () => {
  const home = newHome();
  await expect(release(home)).rejects.toMatchObject({ code: 'CONTROL_NOBODY' });
  await expect(release(join(home, 'not', 'there'))).rejects.toMatchObject({ code: 'CONTROL_NOBODY' });
  writeFileSync(join(home, 'control.sock'), '');
  await expect(release(home)).rejects.toMatchObject({ code: 'CONTROL_NOBODY' });
  await serve(home); // takes the dead one away
  expect(await release(home)).toBeDefined();
  if (process.getuid?.() !== 0) {
    chmodSync(join(home, 'control.sock'), 0);
    await expect(release(home)).rejects.toMatchObject({ code: 'CONTROL_DENIED' });
  }
});

test('a home with a path longer than a socket address works the same', async () => {
  const home = newHome('x'.repeat(60), 'y'.repeat(60));
  const server = await serve(home);
  expect(await release(home)).toBeDefined();
  await server.close();
  expect(existsSync(join(home, 'control.sock'))).toBe(false);
});

test('a file system without sockets costs the commands, not the relay', async () => {
  const logger = { ...silentLogger, warn: vi.fn() };
  const home = join(newHome(), 'gone');
  expect(await startControlServer({ home, verbs: VERBS, clock: systemClock, logger })).toBeNull();
  expect(logger.warn).toHaveBeenCalledOnce();
});

test('a relay that does not answer is not waited for', async () => {
  const home = newHome();
  await serve(home, { verbs: { reload: () => new Promise(() => undefined) } });
  await expect(askDaemon(home, 'reload', { args: {}, timeoutMs: 50 })).rejects.toMatchObject({
    code: 'CONTROL_SILENT',
  });
});

test('another version of the relay is named', async () => {
  const home = newHome();
  const other = createServer((socket) => socket.resume().end('{"v":2,"ok":true}\n'));
  await new Promise<void>((resolve) => other.listen(join(home, 'control.sock'), resolve));
  await expect(release(home)).rejects.toThrow('of another version: restart it');
  await new Promise((resolve) => other.close(resolve));
});

test.each([
  ['no JSON', 'hello\n', 'CONTROL_REQUEST'],
  ['another version', '{"v":7,"verb":"status"}\n', 'CONTROL_VERSION'],
  ['no such verb', '{"v":1,"verb":"constructor"}\n', 'CONTROL_VERB'],
  ['no verb', '{"v":1}\n', 'CONTROL_REQUEST'],
  ['a flood without an end', 'x'.repeat(MAX_REQUEST_CHARS + 1), 'CONTROL_REQUEST'],
])('a bad client harms nobody: %s', async (_name, text, code) => {
  const home = newHome();
  await serve(home);
  expect(JSON.parse(await talk(home, text))).toMatchObject({ v: 1, ok: false, code });
  expect(await release(home)).toBeDefined();
});

test('clients that say nothing are cut off after ten seconds, and too many are not let in', async () => {
  const home = newHome();
  const clock = new ManualClock(0);
  await serve(home, { clock });
  const closed: number[] = [];
  const sockets: Socket[] = [];
  for (let index = 0; index < 20; index += 1) {
    const socket = connect(join(home, 'control.sock'));
    socket.on('error', () => undefined);
    socket.on('close', () => closed.push(index));
    sockets.push(socket);
  }
  await until(() => closed.length === 12, 'eight stay');
  await expect(release(home)).rejects.toMatchObject({ code: 'CONTROL_SILENT' });
  await clock.advance(10_000);
  await until(() => closed.length === 20, 'all are cut off');
  expect(await release(home)).toBeDefined();
});

test('a client that goes away in the middle is forgotten', async () => {
  const home = newHome();
  await serve(home);
  for (const text of ['', '{"v":1', '{"v":1,"verb":"reload"}\n']) {
    const socket = connect(join(home, 'control.sock'), () => socket.write(text, () => socket.destroy()));
    await new Promise((resolve) => socket.on('close', resolve));
  }
  expect(await release(home)).toBeDefined();
});

test('whatever a line holds, it is a request or refused', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.object().map((value) => JSON.stringify({ v: 1, ...value })),
      ),
      (line) => {
        try {
          expect(typeof parseRequest(line).verb).toBe('string');
        } catch (error) {
          expect(error).toBeInstanceOf(RelayError);
        }
      },
    ),
  );
});

test('no descriptor left for one more client is no end of the relay', async () => {
  const home = newHome();
  await serve(home);
  const fail = (message: unknown): void => {
    const { server } = (message as { readonly socket: Socket & { readonly server: Server } }).socket;
    server.emit('error', new Error('accept EMFILE'));
  };
  subscribe('net.server.socket', fail);
  try {
    expect(await release(home)).toBeDefined();
  } finally {
    unsubscribe('net.server.socket', fail);
  }
  expect(await release(home)).toBeDefined();
});
