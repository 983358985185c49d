import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import process from "node:process";

const program = `
const { generateKeyPair } = require("node:crypto");
const make = () => new Promise((done, failed) => generateKeyPair("rsa", { modulusLength: 2048, publicExponent: 65537 }, (error) => error ? failed(error) : done()));
const started = performance.now();
Promise.all(Array.from({ length: Number(process.argv[1]) }, make)).then(() => console.log((performance.now() - started) / 1000));
`;

/** Seconds that Node's crypto takes to make RSA-2048 keys, in a process whose pool has a thread for each core, or four. */
export function measureKeys(count: number): number {
  const env = { ...process.env, UV_THREADPOOL_SIZE: String(Math.max(4, availableParallelism())) };
  return Number(execFileSync(process.execPath, ["-e", program, String(count)], { env, encoding: "utf8" }));
}
