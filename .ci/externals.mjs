// The packages that the bundle leaves outside: natives, data, and what noble looks for by itself. The image carries
// these and what they depend on (deploy/docker/collect-runtime.mjs); elsewhere npm installs them.
export const externals = [
  'better-sqlite3',
  'serialport',
  '@stoprocent/noble',
  'dbus-next',
  '@resvg/resvg-wasm',
  'dejavu-fonts-ttf',
  'world-atlas',
];
