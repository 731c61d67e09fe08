# One server process (docs/operations.md): it needs DATABASE_URL, REDIS_URL and JWT_SECRET or JWT_JWKS_URL.
FROM node:24.11.1-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Optional are the binaries of the embedded Postgres, which production refuses.
RUN npm ci --omit=optional --no-audit --no-fund
COPY . .
RUN npm run build && npm ci --omit=dev --omit=optional --no-audit --no-fund

FROM node:24.11.1-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# By number, so that an orchestrator can see that it is not root.
USER 1000:1000
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 3000}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Without a shell or npm between: SIGTERM reaches the server, which drains and exits with 0 within 10 s.
STOPSIGNAL SIGTERM
CMD ["node", "dist/main.js"]
