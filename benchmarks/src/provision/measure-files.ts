import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Folders and files of a client's kit. */
const folders = ["", "startup", "local", "transfer"];
const filesPerKit = 13;
const bytesPerFile = 1500;

/** Seconds that the file system takes for as many folders and files as the kits have, written in the plainest way below a folder. */
export async function measureFiles(participants: number, below: string): Promise<number> {
  const folder = await mkdtemp(join(below, "files-"));
  const text = "x".repeat(bytesPerFile);
  const started = performance.now();
  for (let kit = 0; kit < participants; kit++) {
    for (const name of folders) mkdirSync(join(folder, `site-${kit}`, name));
    for (let file = 0; file < filesPerKit; file++)
      writeFileSync(join(folder, `site-${kit}`, file % 2 === 0 ? "startup" : "local", `${file}`), text);
  }
  const seconds = (performance.now() - started) / 1000;
  if ((await readdir(folder)).length !== participants) throw new Error("kits are missing");
  return seconds;
}
