// Who may import whom. `docs/architecture.md` says why; this table is what counts.

/** Node modules that open sockets. */
const sockets = ["net", "http", "http2", "https", "tls", "dgram", "dns", "dns/promises"];
/** Node modules that touch files. */
const files = ["fs", "fs/promises"];
/** Node modules that start processes. */
const processes = ["child_process", "cluster"];

/**
 * One row per package, by folder. `siblings`: public entries of other packages that it may import; a name alone is the main
 * entry. `denied`: Node modules that it must not import. `tests` adds siblings for test files. `except`: files that may import
 * some of the denied modules all the same, each for one reason. `isBundled`: its dependencies end up inside what it builds.
 */
export const boundaries = {
  "packages/contracts": { siblings: [], denied: [...sockets, ...files, ...processes] },
  "packages/aggregator": {
    siblings: ["@flare-ts/contracts", "@flare-ts/contracts/errors"],
    denied: [...sockets, ...processes],
    // A driver that aborts takes its whole process along, threads included: only another process can try it first.
    except: { "src/device/probe-in-child.ts": ["child_process"] },
  },
  "packages/provision": { siblings: ["@flare-ts/contracts", "@flare-ts/contracts/errors"], denied: [...sockets, ...processes] },
  "packages/sqlite": { siblings: ["@flare-ts/contracts", "@flare-ts/contracts/errors"], denied: [...sockets, ...processes] },
  "packages/runtime": {
    siblings: [
      "@flare-ts/sqlite",
      "@flare-ts/sqlite/file",
      "@flare-ts/contracts",
      "@flare-ts/contracts/errors",
      "@flare-ts/contracts/job",
      "@flare-ts/contracts/wire",
      "@flare-ts/aggregator",
      "@flare-ts/aggregator/safetensors",
      "@flare-ts/aggregator/strategies",
      "@flare-ts/provision/kit",
      "@flare-ts/provision/issue",
    ],
    denied: [],
    tests: ["@flare-ts/provision"],
  },
  "packages/chaos": {
    siblings: ["@flare-ts/contracts", "@flare-ts/aggregator", "@flare-ts/runtime", "@flare-ts/runtime/admin", "@flare-ts/runtime/client"],
    denied: [],
  },
  "packages/dashboard-api": {
    siblings: [
      "@flare-ts/contracts",
      "@flare-ts/contracts/errors",
      "@flare-ts/provision",
      "@flare-ts/provision/kit",
      "@flare-ts/provision/issue",
      "@flare-ts/runtime",
      "@flare-ts/runtime/admin",
      "@flare-ts/sqlite",
    ],
    denied: [],
    tests: ["@flare-ts/testing"],
  },
  // The page runs in a browser: what it knows of the API is its contract.
  "apps/dashboard": {
    siblings: ["@flare-ts/dashboard-api/contract"],
    denied: [...sockets, ...files, ...processes],
    isBundled: true,
    // The tests in a browser run all of it.
    tests: ["@flare-ts/contracts", "@flare-ts/dashboard-api", "@flare-ts/testing", "@flare-ts/runtime", "@flare-ts/provision"],
  },
  "packages/testing": {
    siblings: [
      "@flare-ts/chaos",
      "@flare-ts/contracts",
      "@flare-ts/contracts/errors",
      "@flare-ts/contracts/wire",
      "@flare-ts/aggregator",
      "@flare-ts/aggregator/safetensors",
      "@flare-ts/provision",
      "@flare-ts/provision/kit",
      "@flare-ts/provision/issue",
      "@flare-ts/runtime",
      "@flare-ts/runtime/admin",
      "@flare-ts/runtime/client",
      "@flare-ts/runtime/store",
    ],
    denied: [],
  },
  "apps/cli": {
    siblings: [
      "@flare-ts/chaos",
      "@flare-ts/contracts",
      "@flare-ts/contracts/errors",
      "@flare-ts/aggregator",
      "@flare-ts/aggregator/safetensors",
      "@flare-ts/provision",
      "@flare-ts/provision/kit",
      "@flare-ts/provision/issue",
      "@flare-ts/runtime",
      "@flare-ts/runtime/admin",
      "@flare-ts/runtime/preflight",
      "@flare-ts/dashboard-api",
    ],
    denied: [],
    tests: ["@flare-ts/testing"],
  },
  "examples/breast-cancer": {
    siblings: [
      "@flare-ts/contracts",
      "@flare-ts/contracts/errors",
      "@flare-ts/aggregator",
      "@flare-ts/aggregator/safetensors",
      "@flare-ts/provision",
      "@flare-ts/runtime",
      "@flare-ts/runtime/admin",
      "@flare-ts/runtime/client",
      "@flare-ts/cli",
    ],
    denied: [],
  },
  "clients/python": { siblings: [], denied: [...sockets] },
  benchmarks: {
    siblings: [
      "@flare-ts/contracts",
      "@flare-ts/contracts/errors",
      "@flare-ts/dashboard-api",
      "@flare-ts/dashboard-api/contract",
      "@flare-ts/aggregator",
      "@flare-ts/aggregator/safetensors",
      "@flare-ts/aggregator/kernels",
      "@flare-ts/provision",
      "@flare-ts/runtime",
      "@flare-ts/runtime/admin",
      "@flare-ts/runtime/client",
      "@flare-ts/cli",
      "@flare-ts/testing",
    ],
    denied: [],
  },
};
