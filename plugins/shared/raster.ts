/**
 * SVG to PNG. Drawing takes tenths of a second and some 40 MB, so each picture is drawn in a worker thread that ends
 * after it: the relay is not held up, and the memory is given back. The renderer is WebAssembly and the fonts come with
 * the package, so a slim container, a Raspberry Pi and a laptop draw the same picture.
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type Font, readFont } from './font.ts';

export const FONT_FAMILY = 'DejaVu Sans';

/** A picture that takes longer than this is given up. */
const LIMIT_MS = 60_000;

/** Runs in the worker. A text, not a file: it must be found from source and from the bundle alike. */
const WORKER = `
const { parentPort, workerData } = require('node:worker_threads');
const { readFileSync } = require('node:fs');
(async () => {
  const { initWasm, Resvg } = await import(workerData.module);
  await initWasm(readFileSync(workerData.wasm));
  const fontBuffers = workerData.fonts.map((path) => new Uint8Array(readFileSync(path)));
  const font = { fontBuffers, loadSystemFonts: false, defaultFontFamily: workerData.family, sansSerifFamily: workerData.family };
  const png = new Resvg(workerData.svg, { font }).render().asPng();
  parentPort.postMessage(png);
})().catch((error) => { throw error instanceof Error ? error : new Error(String(error)); });
`;

const FONT_FILES = ['dejavu-fonts-ttf/ttf/DejaVuSans.ttf', 'dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'] as const;

/** Draws an SVG document at its own size. @throws Error when it is not SVG, or when drawing takes over a minute */
export function rasterise(svg: string): Promise<Uint8Array> {
  const require = createRequire(import.meta.url);
  const wasm = require.resolve('@resvg/resvg-wasm/index_bg.wasm');
  const worker = new Worker(WORKER, {
    eval: true,
    workerData: {
      svg,
      wasm,
      module: pathToFileURL(wasm.replace(/index_bg\.wasm$/, 'index.mjs')).href,
      fonts: FONT_FILES.map((file) => require.resolve(file)),
      family: FONT_FAMILY,
    },
  });
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const limit = setTimeout(() => reject(new Error('drawing took too long')), LIMIT_MS);
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.once('exit', () => reject(new Error('the renderer ended without a picture')));
  return promise.finally(() => {
    clearTimeout(limit);
    return worker.terminate();
  });
}

/** The regular font, to measure texts with. */
export async function loadFont(): Promise<Font> {
  return readFont(await readFile(createRequire(import.meta.url).resolve(FONT_FILES[0])));
}
