import { defineConfig } from "vitest/config";

/**
 * Packages that are built are loaded as any program loads them, not module by module through vitest: a fifth of what a small file of tests
 * takes where it imports several of them.
 */
export const loadBuiltPackages = { server: { deps: { external: [/\/packages\/[\w-]+\/dist\//] } } };

/**
 * One configuration for every room: real parts are slow, on a busy machine several times as slow as alone, so a test has minutes before it
 * counts as one that hangs, and nothing is retried.
 */
export default defineConfig({
  // Not in node_modules: a folder that appears there while a test's job process runs is one that it has no permission to look into.
  cacheDir: "coverage/.vite",
  test: {
    // Figures take the whole machine for minutes: only when they are asked for.
    include: [process.env["FLARE_FIGURES"] === "1" ? "src/**/*.bench.ts" : "src/**/*.test.ts"],
    retry: 0,
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // What is polled comes when it comes; a second is not enough where two processors run everything at once.
    expect: { poll: { timeout: 60_000 } },
    passWithNoTests: false,
    // `npm test` adds up the reports of all packages.
    reporters: ["default", ["json", { outputFile: "coverage/test-report.json" }]],
  },
});
