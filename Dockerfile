# mmrelay: build stages whose tools stay behind, and a small Debian with Node in it. For amd64, arm64 and arm/v7.
#   docker build -t mmrelay .            docs/DOCKER.md has the rest
# arm/v7 wants NODE_IMAGE=node:22-bookworm-slim: there is no official Node 24 for 32-bit ARM (nodejs/node#58071).
ARG NODE_IMAGE=node:24-bookworm-slim
ARG RUNTIME_IMAGE=debian:bookworm-slim

# The bundle is plain JavaScript and the native modules come as prebuilt files for every platform: this stage runs on
# the machine that builds, whatever the target is. Only SQLite for arm/v7 has to be compiled, by a cross compiler.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
# Without a default: one given here would win over the platform that is asked for.
ARG TARGETARCH
COPY deploy/docker/compile-sqlite.sh deploy/docker/
RUN deploy/docker/compile-sqlite.sh "$TARGETARCH"
COPY . .
RUN node .ci/build.mjs && node deploy/docker/collect-runtime.mjs /runtime "$TARGETARCH"

# Node without its debug symbols: 18 MB less.
FROM ${NODE_IMAGE} AS node
RUN apt-get update && apt-get install -y --no-install-recommends binutils && strip -o /node /usr/local/bin/node

FROM ${RUNTIME_IMAGE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini libstdc++6 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/* \
    && useradd --uid 1000 --user-group --home-dir /data --no-create-home --shell /usr/sbin/nologin mmrelay \
    && install -d -o 1000 -g 1000 -m 0750 /data \
    && install -d -o 1000 -g 1000 -m 0755 /run/mmrelay /app
COPY --from=node /node /usr/local/bin/node
COPY --from=build /runtime /opt/mmrelay
RUN printf '#!/bin/sh\nexec /usr/local/bin/node /opt/mmrelay/dist/mmrelay.js "$@"\n' > /usr/local/bin/mmrelay \
    && chmod 0755 /usr/local/bin/mmrelay

# MALLOC_* keeps resident memory small (docs/BENCHMARKS.md).
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=1 \
    MALLOC_TRIM_THRESHOLD_=65536 \
    MMRELAY_HOME=/data \
    MMRELAY_READY_FILE=/run/mmrelay/ready
WORKDIR /app
USER 1000:1000
VOLUME /data
ENTRYPOINT ["/usr/bin/tini", "--", "mmrelay"]
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s --retries=3 CMD ["mmrelay", "doctor", "--liveness"]

ARG VERSION=dev
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="mmrelay" \
      org.opencontainers.image.description="Joins Meshtastic mesh radios and Matrix rooms" \
      org.opencontainers.image.url="https://github.com/jeremiah-k/meshtastic-matrix-relay" \
      org.opencontainers.image.source="https://github.com/jeremiah-k/meshtastic-matrix-relay" \
      org.opencontainers.image.documentation="https://github.com/jeremiah-k/meshtastic-matrix-relay/blob/main/docs/DOCKER.md" \
      org.opencontainers.image.licenses="GPL-3.0-or-later" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
