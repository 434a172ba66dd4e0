import { type Env, processEnv } from '../config/env.ts';
import type { RadioConfig, RadioConnection } from '../config/types.ts';
import type { BleHub } from '../radio/ble/central.ts';
import type { NobleBinding } from '../radio/ble/noble-adapter.ts';
import { createNobleHub } from '../radio/ble/noble-hub.ts';
import { createRadio, type RadioAdapter } from '../radio/radio.ts';
import { AutoChoice } from '../radio/transport/auto.ts';
import { type RadioConnect, transportFactory } from '../radio/transport/factory.ts';
import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { RelayError } from '../util/relay-error.ts';
import { connectOf, findRadios } from './find-radios.ts';

export interface RadioDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * Makes the radios of configuration entries. What they share, the Bluetooth adapter, is opened when the first of them
 * needs it. The result throws RelayError CONFIG_RADIO_TYPE for a kind of link this build does not have.
 */
export function radioBuilder(deps: RadioDeps, env: Env = processEnv()): (radio: RadioConfig) => RadioAdapter {
  const hub = bluetoothHub(deps.logger, env);
  return (radio) => createRadio({ name: radio.name, connect: connectFor(radio.connection, hub, deps), ...deps });
}

/** The Bluetooth adapter, opened at its first use. */
export function bluetoothHub(logger: Logger, env: Env = processEnv()): BleHub {
  return createNobleHub({ binding: bluetoothBinding(env), logger });
}

function connectFor(connection: RadioConnection, hub: BleHub, deps: RadioDeps): RadioConnect {
  switch (connection.kind) {
    case 'tcp':
      return { type: 'tcp', host: connection.host, port: connection.port };
    case 'serial':
      return { type: 'serial', path: connection.path };
    case 'ble':
      return { type: 'ble', target: connection.address, hub };
    case 'auto': {
      const choice = new AutoChoice({
        logger: deps.logger,
        find: (signal) => findRadios({ hub, signal, ...deps }),
        factoryOf: (found) => transportFactory(connectOf(found, hub), deps.clock),
      });
      return { type: 'custom', transports: () => choice.transport() };
    }
    case 'mqtt':
      throw new RelayError('CONFIG_RADIO_TYPE', 'connection_type mqtt is not supported yet; use tcp, serial or ble');
  }
}

/** The variables of noble and its HCI driver choose the way to Bluetooth, as they do for other programs of that family. */
function bluetoothBinding(env: Env): NobleBinding | 'auto' {
  const port = env.BLUETOOTH_HCI_SOCKET_UART_PORT;
  if (port !== undefined && port !== '') {
    return { kind: 'hci', uart: { port, baudRate: Number(env.BLUETOOTH_HCI_SOCKET_UART_BAUDRATE) || 1_000_000 } };
  }
  const asked = (env.NOBLE_BINDINGS ?? '').toLowerCase();
  return asked === 'hci' || asked === 'dbus' ? { kind: asked, uart: null } : 'auto';
}
