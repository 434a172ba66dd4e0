/**
 * SVG to PNG. Drawing takes tenths of a second and some 100 MB, so each picture is drawn in a process of its own that
 * ends after it: the relay is not held up, and all of the memory is given back (a worker thread left 100 MB behind).
 * The renderer is WebAssembly and the fonts come with the package, so a slim container, a Raspberry Pi and a laptop
 * draw the same picture.
 */

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { type Font, readFont } from './font.ts';

export const FONT_FAMILY = 'DejaVu Sans';

/** A picture that takes longer than this is given up. */
const LIMIT_MS = 60_000;
const MAX_ERROR_CHARS = 2000;

/** Runs in the process. A text, not a file: it must be found from source and from the bundle alike. */
const PROGRAM = `
const { readFileSync } = require('node:fs');
const { module, wasm, fonts, family } = JSON.parse(process.argv[1]);
(async () => {
  const svg = readFileSync(0, 'utf8');
  const { initWasm, Resvg } = await import(module);
  await initWasm(readFileSync(wasm));
  const fontBuffers = fonts.map((path) => new Uint8Array(readFileSync(path)));
  const font = { fontBuffers, loadSystemFonts: false, defaultFontFamily: family, sansSerifFamily: family };
  process.stdout.write(new Resvg(svg, { font }).render().asPng());
})().catch((error) => {
  process.stderr.write(String(error));
  process.exitCode = 1;
});
`;

const FONT_FILES = ['dejavu-fonts-ttf/ttf/DejaVuSans.ttf', 'dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'] as const;

/** Draws an SVG document at its own size. @throws Error when it is not SVG, or when drawing takes over a minute */
export function rasterise(svg: string): Promise<Uint8Array> {
  const require = createRequire(import.meta.url);
  const wasm = require.resolve('@resvg/resvg-wasm/index_bg.wasm');
  const setup = JSON.stringify({
    wasm,
    module: pathToFileURL(wasm.replace(/index_bg\.wasm$/, 'index.mjs')).href,
    fonts: FONT_FILES.map((file) => require.resolve(file)),
    family: FONT_FAMILY,
  });
  // An environment of its own: the relay's may hold secrets.
  const child = spawn(process.execPath, ['--input-type=commonjs', '-e', PROGRAM, setup], {
    env: {},
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const chunks: Buffer[] = [];
  let trouble = '';
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    trouble = `${trouble}${chunk}`.slice(0, MAX_ERROR_CHARS);
  });
  child.once('error', reject);
  // A child that died early takes no more input; how it died is told by `close`.
  child.stdin.on('error', () => undefined);
  child.once('close', (code, signal) => {
    if (code === 0) resolve(Buffer.concat(chunks));
    else reject(new Error(`The picture was not drawn: ${trouble || `the renderer ended with ${signal ?? code}`}`));
  });
  child.stdin.end(svg);
  return promise;
}

/** The regular font, to measure texts with. */
export async function loadFont(): Promise<Font> {
  return readFont(await readFile(createRequire(import.meta.url).resolve(FONT_FILES[0])));
}
