FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# No dependency of the service needs its scripts: better-sqlite3 ships its binaries.
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production \
    TELEMETRY_BASE_DIR=/data
WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY migrations ./migrations
COPY src ./src
RUN install -d -o 10001 -g 10001 /data
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
VOLUME /data
EXPOSE 8765
# No shell and no npm in between: signals reach the service.
CMD ["node", "src/main.ts", "serve"]
