#!/usr/bin/env bash
# Builds the real Dockerfile and runs the result, without Docker and without an image registry:
#   .ci/build-image.sh          build mmrelay:local and say how large it is
#   .ci/build-image.sh test     the same, then test/deploy/image.test.ts runs it as a pod would
#   .ci/build-image.sh cross    build for arm64 and arm/v7 up to where an emulator would be needed, and look at the binaries
# Needs root on Debian with: apt-get install buildah runc debootstrap. The base images are made by debootstrap and from
# the Node of this repository, and carry the real bases' names, so this proves our Dockerfile, not those bases.
set -euo pipefail
cd "$(dirname "$0")/.."
mode="${1:-build}"
# MMRELAY_IMAGE_CONTEXT: another checkout to build from.
context="${MMRELAY_IMAGE_CONTEXT:-$PWD}"
cache="${MMRELAY_IMAGE_CACHE:-$PWD/.cache/image}"
export BUILDAH_ISOLATION=chroot
say() { printf 'image: %s\n' "$*"; }
storage=(--root "$cache/storage" --runroot "$cache/run")
b() { buildah "${storage[@]}" "$@"; }
# build TAG ARGUMENTS...
build() {
  local tag="$1"; shift
  b build --pull-never --layers --format docker "$@" -t "$tag" "$context" >"$cache/build.log" 2>&1 || { tail -40 "$cache/build.log"; exit 1; }
  grep '^runtime for' "$cache/build.log" || true
}

if ! unshare --pid --ipc --uts --mount --fork true; then
  say 'SKIPPED: this kernel refuses namespaces, so no image was built and no container ran'
  exit 0
fi
for tool in buildah runc debootstrap; do
  command -v "$tool" >/dev/null || { say "missing $tool (apt-get install buildah runc debootstrap)"; exit 69; }
done
# Layers as overlays, or as copies where the file system refuses overlays (inside another container).
if [ -z "${STORAGE_DRIVER:-}" ]; then
  mkdir -p "$cache"/overlay/{lower,upper,work,merged}
  cd "$cache/overlay"
  if unshare --mount mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged 2>/dev/null; then
    STORAGE_DRIVER=overlay
  else
    STORAGE_DRIVER=vfs
  fi
  cd "$OLDPWD"
fi
export STORAGE_DRIVER

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
  # For `cross`; the real image has them.
  for headers in /usr/include/node /usr/local/include/node; do
    [ ! -d "$headers" ] || b copy -q "$c" "$headers" /usr/local/include/node >/dev/null
  done
  b config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$c"
  b commit -q --rm "$c" node:24-bookworm-slim >/dev/null
fi

if [ "$mode" = cross ]; then
  for architecture in arm64 arm; do
    start=$(date +%s)
    build mmrelay-cross:local --build-arg TARGETARCH="$architecture" --target build
    c="$(b from --pull-never mmrelay-cross:local)"
    root="$(b mount "$c")"
    kinds="$(find "$root/runtime" -name '*.node' -exec sh -c 'od -An -tu1 -j4 -N1 "$1"; od -An -tu2 -j18 -N2 "$1"' _ {} \; | paste - - | sort -u | xargs)"
    count="$(find "$root/runtime" -name '*.node' | wc -l)"
    b umount "$c" >/dev/null; b rm "$c" >/dev/null
    # ELF class (1 is 32 bits, 2 is 64) and machine (40 is ARM, 183 is AArch64)
    case "$architecture" in arm64) wanted="2 183" ;; arm) wanted="1 40" ;; esac
    say "$architecture: $count binaries, class and machine $kinds (wanted $wanted), $(($(date +%s) - start)) s"
    [ "$kinds" = "$wanted" ] || exit 1
  done
  exit 0
fi

version="$(sed -n 's/^  "version": "\(.*\)",/\1/p' "$context/package.json")"
say "building $version"
start=$(date +%s)
build mmrelay:local --build-arg VERSION="$version" --build-arg CREATED="$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
  --build-arg REVISION="$(git -C "$context" rev-parse HEAD 2>/dev/null || echo unknown)"
say "built in $(($(date +%s) - start)) s"

c="$(b from --pull-never mmrelay:local)"
root="$(b mount "$c")"
trap 'b umount "$c" >/dev/null 2>&1; b rm "$c" >/dev/null 2>&1' EXIT
say "unpacked $(du -s --apparent-size -B1000000 "$root" | cut -f1) MB, of that Node $(stat -c %s "$root/usr/local/bin/node" | awk '{printf "%d", $1/1e6}') MB"
say "compressed (pull size) about $(tar -C "$root" -c . 2>/dev/null | gzip -6 | wc -c | awk '{printf "%d", $1/1e6}') MB"
if find "$root/usr/bin" -name 'gcc*' -o -name 'g++*' -o -name 'make' -o -name 'python3*' | grep -q .; then
  say 'a compiler is in the image'; exit 1
fi
[ "$mode" = test ] || exit 0
env="$(b inspect --type image --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' mmrelay:local)"
MMRELAY_IMAGE_ROOT="$root" MMRELAY_IMAGE_ENV="$env" PATH="$PWD/node_modules/.bin:$PATH" \
  vitest run --config test/vitest.config.ts --reporter verbose test/deploy/image.test.ts
