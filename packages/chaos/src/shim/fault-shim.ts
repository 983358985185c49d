import childProcess from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { ordersVariable, type ShimOrders } from "./shim-orders.js";

// Loaded with --import into the processes of a federation under chaos, before any of their own code: moves their clock, and makes
// their writes fail, as the file with the orders says. No code of the federation knows of it.

const handleMethods = ["write", "writev", "writeFile", "appendFile"];
const promiseMethods = ["writeFile", "appendFile", "mkdir", "copyFile", "link", "rename"];
const syncMethods = ["writeFileSync", "appendFileSync", "mkdirSync", "copyFileSync", "linkSync", "renameSync"];
/** Standard output and error are no files of a workspace. */
const lastStandardFd = 2;

const ordersFile = process.env[ordersVariable];
if (ordersFile !== undefined) obey(ordersFile);

function obey(file: string): void {
  const readFileSync = fs.readFileSync;
  let orders: ShimOrders = { clockOffsetMs: 0, isDiskFull: false };
  const look = (): void => {
    try {
      orders = JSON.parse(readFileSync(file, "utf8")) as ShimOrders;
    } catch {
      // Written at this moment, or gone with the run: the orders stand.
    }
  };
  look();
  setInterval(look, 25).unref();
  moveClock(() => orders.clockOffsetMs);
  failWrites(() => orders.isDiskFull);
  handOn(file);
  syncBuiltinESMExports();
}

/** `Date` alone: timers and `performance` run on a clock that does not jump, as they do on a machine whose clock is set. */
function moveClock(offsetMs: () => number): void {
  const RealDate = Date;
  const realNow = RealDate.now.bind(RealDate);
  const now = (): number => realNow() + offsetMs();
  RealDate.now = now;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[], newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
  });
}

type AnyFunction = (...args: unknown[]) => unknown;

function failWrites(isFull: () => boolean): void {
  const full = (): NodeJS.ErrnoException =>
    Object.assign(new Error("ENOSPC: no space left on device, by flare chaos"), { code: "ENOSPC", errno: -28, syscall: "write" });
  const wrap = (owner: object, name: string, fail: () => unknown): void => {
    const methods = owner as Record<string, AnyFunction>;
    const real = methods[name];
    if (real === undefined) return;
    methods[name] = function (this: unknown, ...args: unknown[]): unknown {
      if (isFull() && !(typeof args[0] === "number" && args[0] <= lastStandardFd)) return fail();
      return real.apply(this, args);
    };
  };
  const reject = (): Promise<never> => Promise.reject(full());
  const raise = (): never => {
    throw full();
  };
  for (const name of promiseMethods) wrap(fs.promises, name, reject);
  for (const name of [...syncMethods, "writeSync"]) wrap(fs, name, raise);
  // The class of file handles can be had from a file handle only.
  const open = fs.promises.open;
  let isPatched = false;
  fs.promises.open = async (...args) => {
    const handle = await open(...args);
    if (!isPatched) {
      isPatched = true;
      const prototype = Object.getPrototypeOf(handle) as object;
      for (const name of handleMethods) wrap(prototype, name, reject);
    }
    return handle;
  };
}

/** A job process gets few variables and no NODE_OPTIONS: whoever starts it under chaos adds what this file needs. */
function handOn(file: string): void {
  const spawn = childProcess.spawn as unknown as (command: string, args: readonly string[], options: childProcess.SpawnOptions) => unknown;
  const handingOn = (command: string, args: readonly string[] = [], options: childProcess.SpawnOptions = {}): unknown => {
    if (!args.some((word) => /-job-main\.[jt]s$/.test(word))) return spawn(command, args, options);
    const flags = [`--import=${import.meta.url}`, `--allow-fs-read=${file}`];
    return spawn(command, [...flags, ...args], { ...options, env: { ...options.env, [ordersVariable]: file } });
  };
  childProcess.spawn = handingOn as unknown as typeof childProcess.spawn;
}
