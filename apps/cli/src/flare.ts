#!/usr/bin/env node
import type { runFlare as run } from "./command-line/run-flare.js";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(`flare needs Node 22.13 or newer; this is Node ${process.versions.node}.\n`);
  process.exit(1);
}

// Imported after the check, because older versions stop at the first module that they do not know. The bundled program, which starts sooner.
const program = new URL("./programs/command-line/run-flare.js", import.meta.url).href;
const { runFlare } = (await import(program)) as { readonly runFlare: typeof run };
// Waits for no sockets that a library left open.
process.exit(await runFlare(process.argv.slice(2)));
