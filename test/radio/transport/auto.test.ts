import { describe, expect, it } from 'vitest';
import type { FoundRadio } from '../../../src/radio/discovery.ts';
import { AutoChoice } from '../../../src/radio/transport/auto.ts';
import { type LogFields, silentLogger } from '../../../src/util/logger.ts';
import { loggerTo } from '../../support/logger-to.ts';
import { ScriptedPeer } from '../scripted-peer.ts';

const USB: FoundRadio = {
  kind: 'serial',
  target: '/dev/ttyUSB0',
  name: null,
  firmware: null,
  detail: null,
  busy: null,
};
const BLE: FoundRadio = { ...USB, kind: 'ble', target: 'AA:BB:CC:DD:EE:01', name: 'Anna_ee01' };

function setUp(...answers: (readonly FoundRadio[])[]) {
  const peer = new ScriptedPeer();
  const logs: LogFields[] = [];
  const logger = loggerTo((_message, fields) => logs.push(fields));
  const asked: string[] = [];
  const choice = new AutoChoice({
    logger,
    find: async () => answers.shift() ?? [],
    factoryOf: ({ target }) => {
      asked.push(target);
      return peer.factory;
    },
  });
  const open = (): Promise<void> =>
    choice.transport().open({ onBytes: () => undefined, onClose: () => undefined }, new AbortController().signal);
  return { choice, open, peer, logs, asked };
}

describe('connection_type auto', () => {
  it('takes the only radio there is, says so, and stays with it', async () => {
    const { open, peer, logs, asked } = setUp([USB], [USB, BLE]);
    await open();
    expect(logs).toEqual([{ kind: 'serial', target: '/dev/ttyUSB0', node: null }]);
    await open();
    expect([asked, peer.attempts]).toEqual([['/dev/ttyUSB0'], 2]);
  });

  it('does not choose between two, and looks again next time', async () => {
    const { open, peer } = setUp([USB, BLE], [BLE]);
    await expect(open()).rejects.toThrow(
      /2 radios found, name one of them: serial \/dev\/ttyUSB0, ble AA:BB:CC:DD:EE:01 \(Anna_ee01\)/,
    );
    expect(peer.attempts).toBe(0);
    await open();
    expect(peer.attempts).toBe(1);
  });

  it('says where it looked when there is none', async () => {
    await expect(setUp().open()).rejects.toMatchObject({
      code: 'RADIO_UNREACHABLE',
      message: expect.stringMatching(/none on USB, none over Bluetooth, none in the network.*mmrelay radios/),
    });
  });

  it('does not stay with a radio that it could not reach', async () => {
    const { open, peer, asked } = setUp([USB], [BLE]);
    peer.script.open = () => 'refuse';
    await expect(open()).rejects.toMatchObject({ code: 'RADIO_UNREACHABLE' });
    peer.script.open = () => 'accept';
    await open();
    expect(asked).toEqual(['/dev/ttyUSB0', 'AA:BB:CC:DD:EE:01']);
  });

  it('ends the search when closed or cancelled', async () => {
    const choice = new AutoChoice({
      logger: silentLogger,
      find: () => new Promise(() => undefined),
      factoryOf: () => new ScriptedPeer().factory,
    });
    const handlers = { onBytes: () => undefined, onClose: () => undefined };
    const closed = choice.transport();
    const opening = expect(closed.open(handlers, new AbortController().signal)).rejects.toThrow('cancelled');
    await closed.close();
    await opening;
    const abort = new AbortController();
    const cancelled = expect(choice.transport().open(handlers, abort.signal)).rejects.toThrow('cancelled');
    abort.abort();
    await cancelled;
  });
});
