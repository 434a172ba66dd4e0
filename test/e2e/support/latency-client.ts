import { connect } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { encodeFrame, FrameDecoder } from '../../../src/radio/codec/framing.ts';
import { decodeFromRadio } from '../../../src/radio/codec/from-radio.ts';
import { encodeWantConfig } from '../../../src/radio/codec/to-radio.ts';

/**
 * A client of the virtual node in a thread of its own: says when each packet arrived (process.hrtime), and id 0 when it
 * is configured.
 */
const { port } = workerData as { readonly port: number };
const socket = connect({ port, host: '127.0.0.1', noDelay: true });
const tell = (id: number): void => parentPort?.postMessage({ id, atNs: process.hrtime.bigint() });
const decoder = new FrameDecoder({
  onFrame: (payload) => {
    const message = decodeFromRadio(payload);
    if (message?.kind === 'packet') tell(message.packet.id);
    if (message?.kind === 'config-complete') tell(0);
    return true;
  },
});
socket.on('data', (chunk) => decoder.push(chunk));
socket.on('connect', () => socket.write(encodeFrame(encodeWantConfig(1))));
