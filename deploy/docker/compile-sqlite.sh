#!/bin/sh
# Compiles better-sqlite3 for a target that it has no ready-made build for: 32-bit ARM. Does nothing for amd64 and arm64.
#   deploy/docker/compile-sqlite.sh amd64|arm64|arm
# Cross-compiled, so that it takes a minute on the machine that builds instead of half an hour in an emulator. The addon
# speaks Node-API: the headers of the Node that builds do for the Node that will run it. Debian, root.
set -eu
[ "${1:-}" = arm ] || exit 0
cd "$(dirname "$0")/../.."
compiler=arm-linux-gnueabihf
if ! { command -v "$compiler-g++" && command -v make && command -v python3; } >/dev/null; then
  package="g++-$compiler"
  [ "$(dpkg --print-architecture)" != armhf ] || package=g++
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "$package" make python3
fi
modules="$(npm root --global)"
cd node_modules/better-sqlite3
CC="$compiler-gcc" CXX="$compiler-g++" AR="$compiler-ar" node "$modules/npm/node_modules/node-gyp/bin/node-gyp.js" \
  rebuild --release --arch=arm --nodedir="${modules%/lib/node_modules}" --force_build=1
"$compiler-strip" build/Release/better_sqlite3.node
