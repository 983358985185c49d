import { mergeConfig } from "vitest/config";
import shared from "../../vitest.shared.ts";

// Tests of documents and types start nothing and change nothing that others see: one process runs them all with the modules it has.
export default mergeConfig(shared, { test: { isolate: false } });
