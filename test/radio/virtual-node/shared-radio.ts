import { VirtualNode } from '../../../src/radio/virtual-node/virtual-node.ts';
import type { GuestPacket } from '../../../src/relay/ports.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { settle } from '../../../src/util/manual-clock.ts';
import { prepareRadio, type RadioRig } from '../radio-rig.ts';

/** Node number of the radio in the captures of firmware 2.7.26. */
export const OWN = 17;

export interface SharedRig extends RadioRig {
  readonly node: VirtualNode;
  readonly offered: readonly GuestPacket[];
}

interface ShareOptions {
  readonly allowAdmin?: readonly string[];
  readonly webClients?: readonly string[];
}

/** Shares radios that answer with the frames of real firmware; `closeAll` ends those there are. */
export function sharedRadios() {
  const closing: (() => Promise<void>)[] = [];
  const shared = async ({ allowAdmin = [], webClients = [] }: ShareOptions = {}): Promise<SharedRig> => {
    const rig = prepareRadio();
    const { radio, clock } = rig;
    const offered: GuestPacket[] = [];
    const node = new VirtualNode({
      listen: { host: '127.0.0.1', port: 0 },
      allowAdmin,
      webClients,
      radio,
      clock,
      logger: silentLogger,
      offer: (packet) => {
        offered.push(packet);
        void radio.sendGuest(packet).then(() => packet.onTaken());
        return true;
      },
    });
    await node.start();
    closing.push(() => node.stop());
    radio.start(rig.sink);
    await settle();
    closing.push(() => radio.stop());
    return { ...rig, node, offered };
  };
  const closeAll = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  return { shared, closeAll };
}
