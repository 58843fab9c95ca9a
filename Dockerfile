# The service in a container: docs/container.md says how to run it.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No dependency needs its scripts: better-sqlite3 ships its binaries.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.ts ./scripts/
COPY bin/local-telemetry.cjs ./bin/
COPY migrations ./migrations
COPY src ./src
# A checkout may be readable for its owner alone; the service is another user.
RUN npm run build && chmod -R a+rX bin dist migrations package.json && chmod 755 bin/local-telemetry.cjs

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-slim
# tini is process 1: it hands on signals, and buries what the service leaves behind. npm and yarn have no work here.
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
RUN rm -rf /usr/local/lib/node_modules /opt/yarn-* && \
    cd /usr/local/bin && rm -f npm npx corepack yarn yarnpkg
RUN ln -s /app/bin/local-telemetry.cjs /usr/local/bin/local-telemetry && \
    install -d -o 1000 -g 1000 /data
# SQLite sorts a large index in files: they go where there is room, for all else is read-only.
ENV NODE_ENV=production \
    TELEMETRY_BASE_DIR=/data \
    SQLITE_TMPDIR=/data
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/package.json ./
COPY --from=build /app/migrations ./migrations
COPY --from=build /app/bin ./bin
COPY --from=build /app/dist ./dist
# A number, so that an orchestrator can see that it is not root: the image's user node.
USER 1000:1000
VOLUME /data
EXPOSE 8765
STOPSIGNAL SIGTERM
# The first start may migrate an earlier database; failures within the start period do not count, the first success ends it.
HEALTHCHECK --interval=30s --timeout=10s --start-period=600s --retries=3 \
    CMD ["node", "/app/dist/main.js", "healthcheck", "--timeout", "5"]
# No shell and no npm in between: signals reach the service.
ENTRYPOINT ["/usr/bin/tini", "--", "node", "/app/dist/main.js"]
CMD ["serve"]
# Last, for they change with every release.
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="local-telemetry" \
    org.opencontainers.image.description="Run telemetry for autonomous agents, in one SQLite file" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.created="${CREATED}"
