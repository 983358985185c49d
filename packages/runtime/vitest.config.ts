import { mergeConfig } from "vitest/config";
import shared, { loadBuiltPackages } from "../../vitest.shared.ts";

export default mergeConfig(shared, { test: loadBuiltPackages });
