import { once } from "node:events";
import { createServer } from "node:net";
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

it("a port by chance is none that systems give to connections", async () => {
  for (let i = 0; i < 20; i++) {
    const port = await freePort();
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_768);
  }
});
