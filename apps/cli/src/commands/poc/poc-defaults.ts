/** Defaults of `flare poc`; names are FLARE's. */
export const pocDefaults = {
  project: "example_project",
  server: "server",
  admin: "admin@nvidia.com",
  org: "nvidia",
  clients: 2,
  port: 8002,
  /** Seconds to wait until all sites are connected. */
  startSeconds: 60,
  /** Seconds to wait until one service has drained. */
  stopSeconds: 60,
} as const;
