import { describe, expect, it } from 'vitest';
import meshRelay from '../../../plugins/mesh_relay/index.ts';
import { testPlugin } from '../../../src/plugins/testing.ts';

const position = { portnum: 3, portName: 'POSITION_APP', payload: new Uint8Array([1, 2, 3]) };

describe('mesh_relay', () => {
  it('puts a packet into the first room of its channel, marked and in base64', async () => {
    const rooms = [
      { room: '!a:x', radio: 'default', channel: 0 },
      { room: '!b:x', radio: 'default', channel: 2 },
      { room: '!c:x', radio: 'default', channel: 2 },
    ];
    const tester = testPlugin(meshRelay, { rooms });
    await tester.packet({ ...position, channel: 2 });
    const [sent, ...more] = tester.sent.rooms;
    expect(more).toEqual([]);
    expect(sent).toMatchObject({
      room: '!b:x',
      text: 'Processed POSITION_APP radio packet',
      content: { mmrelay_suppress: true },
    });
    const content = sent !== undefined && 'content' in sent ? sent.content : {};
    expect(JSON.parse(String(content.meshtastic_packet))).toEqual({
      from: 0x0a11ce01,
      to: 0xffffffff,
      channel: 2,
      decoded: { portnum: 'POSITION_APP', payload: 'AQID' },
      id: 4711,
      rxTime: 1_750_000_000,
      rxSnr: 5,
      hopLimit: 3,
      rxRssi: -80,
      hopStart: 3,
      fromId: '!0a11ce01',
      toId: '^all',
    });
  });

  it.each([
    ['text', { portnum: 1, portName: 'TEXT_MESSAGE_APP' }],
    ['admin', { portnum: 6, portName: 'ADMIN_APP' }],
    ['encrypted', { ...position, encrypted: true, portName: 'ENCRYPTED' }],
    ['direct', { ...position, direct: true }],
    ['unmapped', { ...position, channel: 5 }],
    ['unlisted', { portnum: 256, portName: 'PRIVATE_APP' }],
  ])('passes no %s packet on, whatever the list says', async (_name, packet) => {
    const tester = testPlugin(meshRelay, {
      config: { ports: ['TEXT_MESSAGE_APP', 'ADMIN_APP', 'ENCRYPTED', 'POSITION_APP'] },
    });
    await tester.start();
    await tester.packet(packet);
    expect(tester.sent.rooms).toEqual([]);
    expect(tester.log).toMatchObject([{ level: 'warn', fields: { ports: 'TEXT_MESSAGE_APP, ADMIN_APP, ENCRYPTED' } }]);
  });

  it('never takes a text', async () => {
    expect(await testPlugin(meshRelay).mesh('hello')).toMatchObject({ handled: false });
  });
});
