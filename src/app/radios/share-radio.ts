import type { VirtualNodeConfig } from '../../config/types.ts';
import type { SharedRadio } from '../../radio/radio-tap.ts';
import { VirtualNode } from '../../radio/virtual-node/virtual-node.ts';
import type { GuestPacket, RadioPort } from '../../relay/ports.ts';
import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { RelayError } from '../../util/relay-error.ts';

export interface ShareDeps {
  readonly radios: ReadonlyMap<string, RadioPort>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly offer: (radio: string, packet: GuestPacket) => boolean;
}

/**
 * The virtual node of the configuration; null when it is off. Nothing listens before its `start`.
 * @throws RelayError CONFIG_VIRTUAL_NODE for a radio that is not there, or is none that clients could use
 */
export function shareRadio(config: VirtualNodeConfig | null, deps: ShareDeps): VirtualNode | null {
  if (config === null) return null;
  const radio = deps.radios.get(config.radio);
  if (radio === undefined)
    throw new RelayError('CONFIG_VIRTUAL_NODE', `virtual_node.radio: no radio is called ${config.radio}`);
  if (!isShared(radio))
    throw new RelayError('CONFIG_VIRTUAL_NODE', `virtual_node.radio: ${config.radio} is no device that can be shared`);
  return new VirtualNode({ ...config, ...deps, radio, offer: (packet) => deps.offer(radio.name, packet) });
}

function isShared(radio: RadioPort): radio is SharedRadio {
  return 'tap' in radio && radio.sendGuest !== undefined && radio.release !== undefined;
}
