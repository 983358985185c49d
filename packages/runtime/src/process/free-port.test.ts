import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { freePort } from "./free-port.js";

it.each(["127.0.0.1", "::1", "::"])("a port on which somebody listens by %s is passed over", async (host) => {
  const wanted = await freePort();
  expect(await freePort(wanted)).toBe(wanted);
  const other = createServer().listen(wanted, host);
  await once(other, "listening");
  expect(await freePort(wanted)).not.toBe(wanted);
  other.close();
});

it("a port that was not asked for is none that systems give to connections", async () => {
  for (let i = 0; i < 20; i++) {
    const port = await freePort();
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_768);
  }
});

it("who looks at the same time finds other ones: in this process, and in others", async () => {
  const built = new URL("../../dist/process/free-port.js", import.meta.url).href;
  const program = `
    const { freePort } = await import(${JSON.stringify(built)});
    console.log(JSON.stringify(await Promise.all(Array.from({ length: 20 }, () => freePort()))));`;
  const others = Array.from({ length: 4 }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
    return JSON.parse(stdout) as number[];
  });
  const own = Promise.all(Array.from({ length: 20 }, () => freePort()));
  const all = (await Promise.all([own, ...others])).flat();
  expect(new Set(all).size).toBe(100);
});
