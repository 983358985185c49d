import { renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ordersVariable, type ShimOrders } from "./shim-orders.js";

/** Gives orders to the shim in the processes of one participant. */
export class ShimControl {
  readonly #file: string;
  #orders: ShimOrders = { clockOffsetMs: 0, isDiskFull: false };

  /** @param file file for the orders, in a folder that is there */
  constructor(file: string) {
    this.#file = file;
    this.#write();
  }

  /** What loads the shim into a process and tells it where its orders are. */
  environment(): Readonly<Record<string, string>> {
    const options = [process.env["NODE_OPTIONS"], `--import=${pathToFileURL(shimFile).href}`].filter((text) => text !== undefined);
    return { [ordersVariable]: this.#file, NODE_OPTIONS: options.join(" ") };
  }

  order(orders: Partial<ShimOrders>): void {
    this.#orders = { ...this.#orders, ...orders };
    this.#write();
  }

  #write(): void {
    // Whoever reads at this moment must find the old orders or the new ones.
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#orders));
    renameSync(`${this.#file}.new`, this.#file);
  }
}

/** The built shim, also when this file runs from its source, as in tests. */
const shimFile = join(dirname(createRequire(import.meta.url).resolve("@flare-ts/chaos/package.json")), "dist", "shim", "fault-shim.js");
