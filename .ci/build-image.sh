#!/usr/bin/env bash
# Builds the real Dockerfile and runs the result, without Docker and without an image registry:
#   .ci/build-image.sh          build mmrelay:local and say how large it is
#   .ci/build-image.sh test     the same, then run it: read-only root, uid 1000, no capabilities, SIGTERM
# Needs root on Debian with: apt-get install buildah runc debootstrap. The base images are made by debootstrap and from
# the Node of this repository, and carry the real bases' names, so this proves our Dockerfile, not those bases.
set -euo pipefail
cd "$(dirname "$0")/.."
# MMRELAY_IMAGE_CONTEXT: another checkout to build from.
context="${MMRELAY_IMAGE_CONTEXT:-$PWD}"
cache="${MMRELAY_IMAGE_CACHE:-$PWD/.cache/image}"
mkdir -p "$cache"
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER="${STORAGE_DRIVER:-overlay}"
say() { printf 'image: %s\n' "$*"; }
storage=(--root "$cache/storage" --runroot "$cache/run")
b() { buildah "${storage[@]}" "$@"; }

for tool in buildah runc debootstrap; do
  command -v "$tool" >/dev/null || { say "missing $tool (apt-get install buildah runc debootstrap)"; exit 69; }
done

if [ ! -e "$cache/rootfs/.complete" ]; then
  say 'making a Debian base'
  mirror="$(apt-cache policy 2>/dev/null | sed -n 's/.* \(http[^ ]*\) bookworm\/main.*/\1/p' | head -1)"
  debootstrap --variant=minbase bookworm "$cache/rootfs" ${mirror:+"$mirror"} >"$cache/debootstrap.log" 2>&1
  # What the slim images leave out as well.
  rm -rf "$cache"/rootfs/usr/share/{doc,man,locale,info,lintian} "$cache"/rootfs/var/{lib/apt/lists,cache/apt}/* 
  touch "$cache/rootfs/.complete"
fi

if ! b inspect --type image debian:bookworm-slim >/dev/null 2>&1; then
  c="$(b from scratch)"
  b add -q "$c" "$cache/rootfs" / >/dev/null
  b config --cmd bash "$c"
  b commit -q --rm "$c" debian:bookworm-slim >/dev/null
fi
if ! b inspect --type image node:24-bookworm-slim >/dev/null 2>&1; then
  say 'making a Node base'
  c="$(b from debian:bookworm-slim)"
  npm="$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")"
  b copy -q "$c" "$(readlink -f node_modules/node/bin/node)" /usr/local/bin/node >/dev/null
  b copy -q "$c" "$npm" /usr/local/lib/node_modules/npm >/dev/null
  b run "$c" -- ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
  b copy -q "$c" "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" /etc/ssl/certs/ca-certificates.crt >/dev/null
  b config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$c"
  b commit -q --rm "$c" node:24-bookworm-slim >/dev/null
fi

version="$(sed -n 's/^  "version": "\(.*\)",/\1/p' "$context/package.json")"
say "building $version"
start=$(date +%s)
b build --pull-never --layers --format docker --build-arg VERSION="$version" \
  --build-arg REVISION="$(git -C "$context" rev-parse HEAD 2>/dev/null || echo unknown)" \
  --build-arg CREATED="$(date -u +%Y-%m-%dT%H:%M:%SZ)" -t mmrelay:local "$context" >"$cache/build.log" 2>&1 \
  || { tail -40 "$cache/build.log"; exit 1; }
say "built in $(($(date +%s) - start)) s"
grep '^runtime for' "$cache/build.log" || true

c="$(b from --pull-never mmrelay:local)"
root="$(b mount "$c")"
trap 'runc --root "$cache/runc" delete -f mmrelay-daemon >/dev/null 2>&1; b umount "$c" >/dev/null 2>&1; b rm "$c" >/dev/null 2>&1' EXIT
say "unpacked $(du -s --apparent-size -B1000000 "$root" | cut -f1) MB, of that Node $(stat -c %s "$root/usr/local/bin/node" | awk '{printf "%d", $1/1e6}') MB"
say "compressed (pull size) about $(tar -C "$root" -c . 2>/dev/null | gzip -6 | wc -c | awk '{printf "%d", $1/1e6}') MB"
if find "$root/usr/bin" -name 'gcc*' -o -name 'g++*' -o -name 'make' -o -name 'python3*' | grep -q .; then
  say 'a compiler is in the image'; exit 1
fi
[ "${1:-build}" = test ] || exit 0

# --- run it as the pod does ---
runc --root "$cache/runc" delete -f mmrelay-daemon >/dev/null 2>&1 || true
bundle="$cache/bundle"
rm -rf "$bundle"; mkdir -p "$bundle/data"; chown 1000:1000 "$bundle/data"
# run NAME ARGS...: mmrelay in a container, in the foreground
run() {
  local name="$1"; shift
  node_modules/.bin/node - "$root" "$bundle" "$@" <<'JS'
const fs = require('node:fs');
const [root, bundle, ...args] = process.argv.slice(2);
const tmpfs = (destination, mode) => ({ destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', `mode=${mode}`, 'uid=1000', 'gid=1000'] });
const env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'NODE_ENV=production', 'MMRELAY_HOME=/data', 'MMRELAY_READY_FILE=/run/mmrelay/ready', 'TZ=UTC'];
fs.writeFileSync(`${bundle}/config.json`, JSON.stringify({
  ociVersion: '1.0.2',
  process: { user: { uid: 1000, gid: 1000 }, cwd: '/app', env, args: ['/usr/bin/tini', '--', 'mmrelay', ...args], noNewPrivileges: true, capabilities: { bounding: [], effective: [], permitted: [] } },
  root: { path: root, readonly: true },
  hostname: 'mmrelay',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
    tmpfs('/tmp', 1777), tmpfs('/run/mmrelay', '0755'),
    { destination: '/data', type: 'bind', source: `${bundle}/data`, options: ['rbind', 'rw'] },
  ],
  linux: { namespaces: ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })), maskedPaths: ['/proc/kcore'], readonlyPaths: ['/proc/sys'] },
}));
JS
  runc --root "$cache/runc" run --bundle "$bundle" "$name"
}

say "version: $(run mmrelay-version --version </dev/null)"
say 'demo, read-only root, uid 1000, no capabilities'
run mmrelay-demo demo --for 10s </dev/null >"$cache/demo.log" 2>&1 || { tail -30 "$cache/demo.log"; exit 1; }
say "liveness without a daemon: exit $(run mmrelay-doctor doctor --liveness </dev/null >"$cache/doctor.log" 2>&1; echo $?)"

cat >"$bundle/data/config.yaml" <<'YAML'
matrix: { homeserver: 'http://127.0.0.1:9', bot_user_id: '@bot:example.org', access_token: none }
matrix_rooms: [{ id: '!room:example.org', meshtastic_channel: 0 }]
meshtastic: { connection_type: tcp, host: 127.0.0.1, port: 9 }
YAML
chown 1000:1000 "$bundle/data/config.yaml"
run mmrelay-daemon </dev/null >"$cache/daemon.log" 2>&1 &
daemon=$!
for _ in $(seq 100); do [ -s "$cache/daemon.log" ] && break; sleep 0.1; done
sleep 2
inside() { runc --root "$cache/runc" exec mmrelay-daemon "$@"; }
failures=0
# probe WHAT EXPECTED COMMAND...: the exit code that the kubelet would see
probe() {
  local what="$1" expected="$2" code=0; shift 2
  inside "$@" >"$cache/probe.log" 2>&1 || code=$?
  say "$what: exit $code (wanted $expected)"
  if [ "$code" != "$expected" ]; then failures=$((failures + 1)); cat "$cache/probe.log"; fi
}
liveness=(mmrelay doctor --liveness)
say "ready file with both sides down: $(inside sh -c 'test -f "$MMRELAY_READY_FILE"' && echo there || echo not there)"
probe 'liveness, both sides down' 0 "${liveness[@]}"
# Stuck: the process stands still and the ready file grows old.
inside sh -c 'kill -STOP $(pidof node) && touch -d "10 minutes ago" "$MMRELAY_READY_FILE"'
probe 'liveness, daemon stuck, ready file stale' 1 "${liveness[@]}"
inside sh -c 'rm "$MMRELAY_READY_FILE"; kill -CONT $(pidof node)'
probe 'liveness, daemon moves again, ready file missing' 0 "${liveness[@]}"
start=$(date +%s%N)
runc --root "$cache/runc" kill mmrelay-daemon TERM
code=0; wait "$daemon" || code=$?
took=$((($(date +%s%N) - start) / 1000000))
say "SIGTERM with both sides down: exit $code after $took ms"
[ "$took" -lt 10000 ] || failures=$((failures + 1))
[ "$failures" -eq 0 ] || { say "$failures failed"; exit 1; }
