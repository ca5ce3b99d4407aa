# Every image is an argument, so that a mirror, a hardened base or a digest (`...:nonroot@sha256:...`) can take its place. The
# release workflow gives the digest; none is written here, because no registry was in reach to see one.
ARG BUILD_IMAGE=node:24-bookworm-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian13:nonroot
# Where the program and its Node come from: from-source compiles, from-package takes the tarballs of `npm run package`. buildah
# and podman of Debian 12 skip a stage that only a default names, so they need `--build-arg PROGRAM=from-source`.
ARG PROGRAM=from-source

FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS from-source
ARG TARGETARCH
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json bundle.mjs README.md CHANGELOG.md LICENSE ./
COPY docs/CLI.md docs/CLI.md
COPY examples/vb365-exporter.yaml examples/vb365-exporter.yaml
COPY packaging packaging
COPY src src
RUN npm run --silent bundle \
 && arch=${TARGETARCH:-$(node --print "process.arch.replace('x64', 'amd64')")} \
 && SOURCE_DATE_EPOCH=0 node dist/packaging/main.js tree "$arch" /vb365-exporter-source
WORKDIR /state

FROM scratch AS from-package
ARG TARGETARCH
ARG VERSION
ADD build/vb365-exporter-${VERSION}-linux-${TARGETARCH}.tar.gz /
WORKDIR /state

FROM ${PROGRAM} AS program

FROM ${RUNTIME_IMAGE}
ARG RUNTIME_IMAGE
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="vb365-exporter" \
      org.opencontainers.image.description="Prometheus metrics, OpenTelemetry logs and traces of restore sessions in Veeam Backup for Microsoft 365" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.documentation="https://github.com/vb365-exporter/vb365-exporter/blob/main/README.md" \
      org.opencontainers.image.source="https://github.com/vb365-exporter/vb365-exporter" \
      org.opencontainers.image.base.name="${RUNTIME_IMAGE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
# Node is a layer that most releases share.
COPY --from=program /vb365-exporter-*/lib/vb365-exporter/node /nodejs/bin/node
COPY --from=program /vb365-exporter-*/share/doc/vb365-exporter/copyright ./
COPY --from=program /vb365-exporter-*/lib/vb365-exporter/package.json ./
COPY --from=program /vb365-exporter-*/lib/vb365-exporter/dist ./dist
# A volume that is made here belongs to the one who runs.
COPY --from=program --chown=65532:65532 /state /var/lib/vb365-exporter
# Pages and requests of a megabyte go back to the system at once (ADR 50).
ENV NODE_ENV=production VB365_STATE_PATH=/var/lib/vb365-exporter/vb365-exporter.db MALLOC_MMAP_THRESHOLD_=131072
USER 65532:65532
EXPOSE 10365
VOLUME ["/var/lib/vb365-exporter"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["/nodejs/bin/node", "dist/src/main.js", "healthcheck"]
# Node would let its young generation grow to 128 MB; a third of that costs no more time (ADR 50).
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=16", "dist/src/main.js"]
