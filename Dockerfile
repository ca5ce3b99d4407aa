# Build and runtime images are arguments, so that a mirror, a hardened base or a digest (`...:nonroot@sha256:...`) can take
# their place. They are not pinned here: no registry was in reach to see a digest.
ARG BUILD_IMAGE=node:24-bookworm-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json bundle.mjs ./
COPY src src
RUN npm run --silent bundle && mkdir /state

FROM ${RUNTIME_IMAGE}
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="vb365-exporter" \
      org.opencontainers.image.description="Prometheus metrics, OpenTelemetry logs and traces of restore sessions in Veeam Backup for Microsoft 365" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.documentation="https://github.com/vb365-exporter/vb365-exporter/blob/main/README.md" \
      org.opencontainers.image.source="https://github.com/vb365-exporter/vb365-exporter" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
COPY --from=build /build/image/ ./
COPY LICENSE ./
# A volume that is made here belongs to the one who runs.
COPY --from=build --chown=65532:65532 /state /var/lib/vb365-exporter
# Pages and requests of a megabyte go back to the system at once (ADR 50).
ENV NODE_ENV=production VB365_STATE_PATH=/var/lib/vb365-exporter/vb365-exporter.db MALLOC_MMAP_THRESHOLD_=131072
USER 65532:65532
EXPOSE 10365
VOLUME ["/var/lib/vb365-exporter"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["/nodejs/bin/node", "dist/src/main.js", "healthcheck"]
# Node would let its young generation grow to 128 MB; a third of that costs no more time (ADR 50).
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=16", "dist/src/main.js"]
