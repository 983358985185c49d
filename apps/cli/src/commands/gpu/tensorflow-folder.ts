import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";

/** Libraries of a TensorFlow that pip installed, by the names under which the add-on is linked against them. */
export const tensorflowLibraries = {
  "libtensorflow.so": "libtensorflow_cc.so.2",
  "libtensorflow_framework.so": "libtensorflow_framework.so.2",
} as const;

const needed = [...Object.values(tensorflowLibraries), join("include", "tensorflow", "c", "eager", "c_api.h")];

/**
 * The folder of a TensorFlow that an add-on can be built against: the one that was named, or `tensorflow` in it where it is
 * site-packages itself.
 *
 * @throws `gpu/tensorflow-not-found`
 */
export function tensorflowFolder(named: string, cwd: string): string {
  const folder = resolve(cwd, named);
  const found = [folder, join(folder, "tensorflow")].find((each) => missingIn(each).length === 0);
  if (found !== undefined) return found;
  const missing = missingIn(folder);
  throw new FlareError("gpu/tensorflow-not-found", `${folder} has no ${missing.join(", no ")}.`, { facts: { folder, missing } });
}

function missingIn(folder: string): readonly string[] {
  return needed.filter((name) => !existsSync(join(folder, name)));
}
