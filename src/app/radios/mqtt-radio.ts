import type { MqttConfig, RadioConfig } from '../../config/types.ts';
import { createMqttRadio } from '../../radio/mqtt/mqtt-radio.ts';
import type { RadioPort } from '../../relay/ports.ts';
import type { ValueStore } from '../../relay/store-port.ts';
import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { BROADCAST, nodeId, parseNodeId } from '../../util/node-id.ts';

interface MqttRadioDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly values: ValueStore;
}

/** Node numbers below this are reserved by the firmware (NodeDB, NUM_RESERVED). */
const FIRST_NODE = 4;

/** The radio of an entry with connection_type mqtt. @throws RelayError CONFIG_MQTT_CHANNEL */
export function buildMqttRadio({ name }: RadioConfig, mqtt: MqttConfig, { values, ...deps }: MqttRadioDeps): RadioPort {
  const nodeNum = (mqtt.nodeId === null ? null : parseNodeId(mqtt.nodeId)) ?? keptNumber(name, values, deps.random);
  return createMqttRadio({ name, address: mqtt, ...mqtt, nodeNum, ...deps });
}

/** Drawn once and kept in the database: a node that changes its number at every start fills the node lists of a mesh. */
function keptNumber(name: string, values: ValueStore, random: () => number): number {
  const key = `mqtt_node:${name}`;
  const kept = parseNodeId(values.get(key) ?? '');
  if (kept !== null) return kept;
  const fresh = FIRST_NODE + Math.floor(random() * (BROADCAST - FIRST_NODE));
  values.set(key, nodeId(fresh));
  return fresh;
}
