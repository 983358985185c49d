import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeInitialModel } from "../src/initial-model.ts";

/** Writes the model that the first round starts from: `node scripts/make-initial-model.ts`. */
writeFileSync(join(import.meta.dirname, "..", "job", "app", "initial_model.safetensors"), encodeInitialModel());
