import type { Clock } from '../../util/clock.ts';
import type { BleHub } from '../ble/central.ts';
import { SYSTEM_ROOTS } from '../serial/ports.ts';
import { listSerialPorts, serialPortDriver } from '../serial/serialport-driver.ts';
import { BleTransport } from './ble.ts';
import { SerialTransport, WAKE_UP_MS } from './serial.ts';
import { TcpTransport } from './tcp.ts';
import type { TcpAddress, TransportFactory } from './types.ts';

/** How a radio is reached. `custom`: a link made by somebody else, as in tests. */
export type RadioConnect =
  | TcpAddress
  | { readonly type: 'serial'; readonly path: string }
  /** `target`: address or name of the peripheral. The hub is shared by all radios of the process. */
  | { readonly type: 'ble'; readonly target: string; readonly hub: BleHub }
  | { readonly type: 'custom'; readonly transports: TransportFactory };

/** Makes the transports of one radio; remembers between them what helps to find it again. */
export function transportFactory(connect: RadioConnect, clock: Clock): TransportFactory {
  switch (connect.type) {
    case 'tcp':
      return () => new TcpTransport(connect, clock);
    case 'serial': {
      const system = { driver: serialPortDriver, roots: SYSTEM_ROOTS, pid: process.pid, listPorts: listSerialPorts };
      const memory = { usb: null };
      return () => new SerialTransport({ path: connect.path, clock, system, memory, wakeUpMs: WAKE_UP_MS });
    }
    case 'ble':
      return () => new BleTransport({ target: connect.target, hub: connect.hub, clock });
    case 'custom':
      return connect.transports;
  }
}
