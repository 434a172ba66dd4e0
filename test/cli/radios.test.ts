import { describe, expect, it } from 'vitest';
import { radioLines } from '../../src/cli/radios.ts';

const NOTHING = { name: null, firmware: null, detail: null, busy: null };

describe('mmrelay radios', () => {
  it('gives the lines of configuration for each radio', () => {
    const lines = radioLines([
      {
        ...NOTHING,
        kind: 'serial',
        target: '/dev/serial/by-id/usb-RAK_1',
        name: 'RAK4631',
        busy: 'used by python3 (pid 4711)',
      },
      { ...NOTHING, kind: 'ble', target: 'AA:BB:CC:DD:EE:01', name: 'Anna_ee01', detail: '-60 dBm' },
      { ...NOTHING, kind: 'tcp', target: '192.0.2.7', name: 'ALI', firmware: '2.7.26', detail: 'meshtastic.local' },
      { ...NOTHING, kind: 'tcp', target: '192.0.2.8:4404' },
    ]);
    expect(lines.join('\n')).toBe(
      `
🔌 USB: RAK4631, used by python3 (pid 4711)
    connection_type: serial
    serial_port: /dev/serial/by-id/usb-RAK_1

📶 Bluetooth: Anna_ee01, -60 dBm
    connection_type: ble
    ble_address: "AA:BB:CC:DD:EE:01"

🌐 Network: ALI, 2.7.26, meshtastic.local
    connection_type: tcp
    host: 192.0.2.7

🌐 Network: \n    connection_type: tcp
    host: 192.0.2.8
    port: 4404`,
    );
  });

  it('says where to look when there is none', () => {
    const text = radioLines([]).join(' ');
    expect(text).toMatch(/^No radio found\. .*cable one for data\? .*no phone connected.* in the same network/);
  });
});
