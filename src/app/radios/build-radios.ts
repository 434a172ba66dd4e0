import { type Env, processEnv } from '../../config/env.ts';
import type { RadioConfig, RadioConnection } from '../../config/types.ts';
import type { BleHub } from '../../radio/ble/central.ts';
import type { NobleBinding } from '../../radio/ble/noble-adapter.ts';
import { createNobleHub } from '../../radio/ble/noble-hub.ts';
import { createRadio } from '../../radio/radio.ts';
import { AutoChoice } from '../../radio/transport/auto.ts';
import { type RadioConnect, transportFactory } from '../../radio/transport/factory.ts';
import type { RadioPort } from '../../relay/ports.ts';
import type { ValueStore } from '../../relay/store-port.ts';
import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { connectOf, findRadios } from './find-radios.ts';
import { buildMqttRadio } from './mqtt-radio.ts';

interface RadioDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * The radios of the configuration, by name. What they share, the Bluetooth adapter, is opened when the first of them
 * needs it. @throws RelayError CONFIG_MQTT_CHANNEL
 */
export function buildRadios(
  configs: readonly RadioConfig[],
  deps: RadioDeps & { readonly values: ValueStore },
): ReadonlyMap<string, RadioPort> {
  const hub = bluetoothHub(deps.logger);
  return new Map(
    configs.map((config) => {
      const { name, connection } = config;
      if (connection.kind === 'mqtt') return [name, buildMqttRadio(config, connection.mqtt, deps)];
      return [name, createRadio({ name, connect: connectFor(connection, hub, deps), ...deps })];
    }),
  );
}

/** The Bluetooth adapter, opened at its first use. */
export function bluetoothHub(logger: Logger, env: Env = processEnv()): BleHub {
  return createNobleHub({ binding: bluetoothBinding(env), logger });
}

/** How to reach a radio of the configuration. */
export function connectFor(
  connection: Exclude<RadioConnection, { kind: 'mqtt' }>,
  hub: BleHub,
  deps: RadioDeps,
): RadioConnect {
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
