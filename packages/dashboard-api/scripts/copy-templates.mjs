// Copies the repository's examples into the package, where they are offered as job templates.
import { cp, mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const examples = fileURLToPath(new URL("../../../examples/", import.meta.url));
const target = fileURLToPath(new URL("../dist/templates/", import.meta.url));

await rm(target, { recursive: true, force: true });
for (const id of ["breast-cancer", "numpy-hello", "digits-pytorch", "slow-site", "psi"]) {
  await mkdir(`${target}${id}`, { recursive: true });
  await cp(`${examples}${id}/job`, `${target}${id}/job`, { recursive: true });
}
