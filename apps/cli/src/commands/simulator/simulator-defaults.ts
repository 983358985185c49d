/** Defaults of `flare simulator`; workspace and sizes are FLARE's. */
export const simulatorDefaults = {
  workspace: "simulator_workspace",
  clients: 2,
  maxClients: 100,
  project: "simulator",
  server: "server",
  admin: "admin@nvidia.com",
  org: "nvidia",
  /** Seconds that one process may take until it is ready. */
  startSeconds: 60,
  /** Seconds that one process may take to stop before it is killed. */
  stopSeconds: 30,
} as const;

/** Folder of a job in the folder of the server and of each site, once the run is over; FLARE's name. */
export const jobFolderName = "simulate_job";
