import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Startup kits of a whole federation on this machine. */
export interface ChaosKits {
  readonly server: { readonly name: string; readonly kit: string };
  readonly sites: readonly { readonly name: string; readonly kit: string }[];
  /** An admin who may submit jobs. */
  readonly adminKit: string;
  /** Port that the sites dial. */
  readonly port: number;
}

/** What a participant keeps beside its kit: state, logs and claims, none of which a new federation begins with. */
const keptState = /^(models|transfer|.*\.db(-.*)?|log\..*|audit\.log.*|.*pid\.fl.*|ballast|[0-9a-f]{8}-[0-9a-f-]{27})$/;

/** Copies what makes a kit: its files and settings, and whom it trusts, but nothing of what it has done. */
export async function copyKit(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    if (!keptState.test(name)) await cp(join(from, name), join(to, name), { recursive: true, preserveTimestamps: true });
  }
}
