import { createHash } from "node:crypto";
import { exchangeLimits, readArchive, writeArchive } from "../src/archive/index.js";

/** Text of each member of an archive, by its name. */
export type Members = Record<string, string>;

/** Unpacks an archive, lets its members be changed, and packs it again over itself. */
export async function repack(file: string, change: (members: Members) => Members | undefined): Promise<void> {
  const members = await readArchive({ file, limits: exchangeLimits, privateKeys: "allowed" });
  const texts: Members = Object.fromEntries(members.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]));
  await writeArchive({
    file,
    members: Object.entries(change(texts) ?? texts).map(([path, text]) => ({ path, bytes: Buffer.from(text), mode: 0o644 })),
    modified: new Date(0),
    isForced: true,
  });
}

/** Changes keys of a JSON member. */
export function edit(members: Members, name: string, change: Record<string, unknown>): void {
  members[name] = JSON.stringify({ ...(JSON.parse(members[name] ?? "{}") as object), ...change });
}

/** SHA-256 in hexadecimal. */
export function hashOf(text: string | undefined): string {
  return createHash("sha256")
    .update(text ?? "")
    .digest("hex");
}
