# Sealdeck in a container: built in one stage, run in another without compilers and without root.
#
#   docker build --tag sealdeck .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     --publish 127.0.0.1:4870:4870 --publish 127.0.0.1:4871:4871 --volume sealdeck:/data sealdeck
#
# Nothing is written outside /data and /tmp. `scripts/check-image.sh` builds and runs it without a container
# engine. The operator's commands: docker exec CONTAINER node scripts/sealdeck.mjs admin ...

FROM node:24.19.0-bookworm-slim AS build
WORKDIR /sealdeck
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN node scripts/build.mjs && npm prune --omit=dev

FROM node:24.19.0-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4870 VIEWER_PORT=4871 DATA_DIR=/data
WORKDIR /sealdeck
COPY --from=build /sealdeck/package.json ./
COPY --from=build /sealdeck/node_modules node_modules
COPY --from=build /sealdeck/dist dist
COPY --from=build /sealdeck/scripts/sealdeck.mjs scripts/
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 4870 4871
# Alive, not ready: a server that waits for its database must not be killed for it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Node itself, so that the signal to stop reaches the server.
CMD ["node", "--enable-source-maps", "dist/server/main.js"]
