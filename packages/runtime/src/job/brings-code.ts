import { runsCommand } from "@flare-ts/contracts";
import { type ReadClientConfigInit, readClientConfig } from "./read-client-config.js";

/**
 * Whether an app runs programs of the submitter's choice, and so needs the right `byoc`: it has files in `custom/`, or its
 * executor has a `command`, which may be anything (`python3 -c …`).
 *
 * @throws FlareError `job/file-missing`, `job/invalid`
 */
export async function bringsCode(init: ReadClientConfigInit): Promise<boolean> {
  const { manifest, app } = init;
  if (manifest.files.some(({ path }) => path.startsWith(`${app}/custom/`))) return true;
  const config = await readClientConfig(init);
  return config !== undefined && runsCommand(config);
}
