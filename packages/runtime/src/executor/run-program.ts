import { execFile } from "node:child_process";

/**
 * Runs a program of this package in this Node, without any environment. It is no `promisify`: `node:util` would stay in each job process.
 *
 * @throws what `execFile` says of a program that fails: with `signal` when it was killed
 */
export function runProgram(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env: {} }, (error) => (error === null ? resolve() : reject(error)));
  });
}
