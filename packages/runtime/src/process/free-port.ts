import { createServer } from "node:net";
import { FlareError } from "@flare-ts/contracts";

/** Below the ports that Linux, macOS and Windows hand out for connections, so that what is free now is most likely free later. */
const lowest = 20_000;
const highest = 32_767;
const attempts = 100;

/** Coprime to the number of ports, and near its golden section: neighbouring processes begin as far apart as can be. */
const apart = 7_891;

/** How many ports this process has looked at: each is looked at once before any of them comes again. */
let looked = 0;

/**
 * A TCP port on which nobody listens, by any address of this machine: the wanted one, else one from 20000 to 32767. Between this answer
 * and whoever listens there lies a while, in which others look for ports too: processes begin at places of their own, and count on.
 *
 * @throws FlareError `transfer/cannot-listen` when none of a hundred can be opened.
 */
export async function freePort(wanted?: number): Promise<number> {
  if (wanted !== undefined && (await isFree(wanted))) return wanted;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = lowest + ((process.pid * apart + looked++) % (highest - lowest + 1));
    if (await isFree(port)) return port;
  }
  throw new FlareError("transfer/cannot-listen", `None of ${attempts} ports from ${lowest} to ${highest} can be opened on this machine.`);
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((settle) => {
    const server = createServer().once("error", () => settle(false));
    server.listen(port, () => server.close(() => settle(true)));
  });
}
