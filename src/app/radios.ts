import type { RadioConfig } from '../config/types.ts';
import { createRadio } from '../radio/radio.ts';
import type { RadioPort } from '../relay/ports.ts';
import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { RelayError } from '../util/relay-error.ts';

export interface RadioDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** The radio of a configuration entry. @throws RelayError CONFIG_RADIO_TYPE for a kind of link this build does not have */
export function buildRadio(radio: RadioConfig, deps: RadioDeps): RadioPort {
  const { connection } = radio;
  if (connection.kind !== 'tcp') {
    throw new RelayError('CONFIG_RADIO_TYPE', `connection_type ${connection.kind} is not supported yet; use tcp`);
  }
  return createRadio({
    name: radio.name,
    connect: { type: 'tcp', host: connection.host, port: connection.port },
    ...deps,
  });
}
