import { defineConfig, mergeConfig } from "vitest/config";
import shared, { loadBuiltPackages } from "../../vitest.shared.ts";

export default mergeConfig(shared, defineConfig({ test: { ...loadBuiltPackages, globalSetup: ["src/postgres-cluster.test-support.ts"] } }));
