/**
 * Carries packets that are no text between meshes. From the mesh: into the room of the channel, for other relays and for
 * programs. To the mesh: what relays named as `peers` put into the room, and of that only broadcasts of ports that make
 * sense under another sender, because on the air they come from this relay's own node.
 */

import { definePlugin, type PluginContext, type RelayEvent } from '../../src/plugins/api.ts';
import { configSchema } from './config.ts';
import { BROADCAST, packetJson, readPacketJson } from './packet-json.ts';
import { PassedPackets } from './passed-packets.ts';
import { mayLeaveMesh, meshPort } from './ports.ts';

type Context = PluginContext<typeof configSchema, 'sendPacket' | 'status'>;

/** A mesh_relay that has passed nothing yet. */
export function createMeshRelay() {
  const passed = new PassedPackets();
  return definePlugin({
    name: 'mesh_relay',
    version: '2.0.0',
    api: 1,
    description: 'Carry packets that are no texts between the mesh and its room, for other relays',
    configSchema,
    needs: ['rooms', 'sendRoom', 'relayEvents', 'sendPacket', 'status'],
    start(ctx) {
      const { ports, mesh_ports: meshPorts } = ctx.config;
      const refused = [
        ...ports.filter((port) => !mayLeaveMesh(port)),
        ...meshPorts.filter((port) => meshPort(port) === null),
      ];
      if (refused.length > 0) ctx.logger.warn('Ports that are never passed on', { ports: refused.join(', ') });
    },
    async onMeshPacket(packet, ctx) {
      const { portName, direct, encrypted } = packet;
      if (direct || encrypted || !mayLeaveMesh(portName) || !ctx.config.ports.includes(portName)) return;
      const target = (await ctx.rooms.list()).find(
        ({ radio, channel }) => radio === packet.radio && channel === packet.channel,
      );
      if (target === undefined || !passed.fromMesh(packet, ctx.clock.now())) return;
      await ctx.sendRoom({
        room: target.room,
        text: `Processed ${portName} radio packet`,
        content: {
          mmrelay_suppress: true,
          meshtastic_packet: packetJson(packet),
          // Relays that share this mesh know by it that they need not send the packet again.
          meshtastic_meshnet: await meshnetOf(packet.radio, ctx),
        },
      });
    },
    async onRelayEvent(event, ctx) {
      if (!ctx.config.peers.includes(event.sender) || event.content.meshtastic_packet === undefined) return;
      const problem = await toMesh(event, ctx, passed);
      if (problem !== null) ctx.logger.debug('A packet of a peer is not sent', { peer: event.sender, problem });
    },
  });
}

/** @returns why the packet in the event is not for our mesh; null when it was sent */
async function toMesh(event: RelayEvent, ctx: Context, passed: PassedPackets): Promise<string | null> {
  const { radio, channel, content } = event;
  const packet = readPacketJson(content.meshtastic_packet);
  if (packet === null) return 'it cannot be read';
  const portnum = ctx.config.mesh_ports.includes(packet.portName) ? meshPort(packet.portName) : null;
  if (portnum === null) return `${packet.portName} is not taken`;
  if (!packet.broadcast) return 'it is for one node';
  if (content.meshtastic_meshnet === (await meshnetOf(radio, ctx))) return 'it comes from this mesh';
  const { payload } = packet;
  if (!passed.fromRoom({ radio, channel, portName: packet.portName, payload }, ctx.clock.now()))
    return 'this mesh had it already';
  await ctx.sendPacket({ radio, channel, to: BROADCAST, portnum, payload });
  return null;
}

/** '' while the radio has not told its name. */
async function meshnetOf(radio: string, ctx: Pick<Context, 'status'>): Promise<string> {
  const { radios } = await ctx.status.get();
  return radios.find(({ name }) => name === radio)?.meshnet ?? '';
}

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default createMeshRelay();
