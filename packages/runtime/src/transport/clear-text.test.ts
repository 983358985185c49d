import { afterEach, describe, expect, it } from "vitest";
import type { ServerHandlers } from "./connection.js";
import { isLoopback } from "./connection-security.js";
import { dialServer } from "./dial-server.js";
import { GrpcServerTransport } from "./grpc-server-transport.js";
import { startTestServer, type TestServer } from "./test-server.test-support.js";

describe("clear text", () => {
  let server: TestServer;
  afterEach(() => server.stop());

  it("is not listened to from other machines, unless that is allowed", async () => {
    server = await startTestServer({}, { way: "clear" });
    const listenOn = async (host: string, isClearAllowed: boolean): Promise<string> => {
      const keys = server.project.server();
      const { authenticator } = server;
      const init = { host, port: 0, keys, connectionSecurity: "clear", isClearAllowed } as const;
      const transport = new GrpcServerTransport({ authenticator, handlers: {} as ServerHandlers }, init);
      try {
        await transport.start();
        await transport.stop(0);
      } catch (error) {
        return (error as { code: string }).code;
      }
      return "listens";
    };
    expect(await listenOn("0.0.0.0", false)).toBe("transfer/clear-refused");
    expect(await listenOn("::", false)).toBe("transfer/clear-refused");
    expect(await listenOn("127.0.0.1", false)).toBe("listens");
    expect(await listenOn("0.0.0.0", true)).toBe("listens");
  });

  it("is not sent to other machines, unless that is allowed", async () => {
    server = await startTestServer({}, { way: "clear" });
    const init = { ...server.dialInit("site-1"), host: "server.invalid" };
    await expect(dialServer(init)).rejects.toMatchObject({
      code: "transfer/clear-refused",
      row: { todo: expect.stringContaining("--allow-clear") as string },
    });
    await expect(dialServer({ ...init, isClearAllowed: true })).rejects.toMatchObject({ code: "transfer/unreachable" });
    const refused = { ...server.dialInit("site-1"), host: "127.0.0.1" };
    (await dialServer(refused)).close();
  });
});

describe("this machine", () => {
  it.each([
    ["localhost", true],
    ["a.localhost", true],
    ["LocalHost", true],
    ["A.LOCALHOST", true],
    ["127.0.0.1", true],
    ["127.8.8.8", true],
    ["::1", true],
    ["0.0.0.0", false],
    ["::", false],
    ["10.0.0.1", false],
    ["128.0.0.1", false],
    ["localhost.example.org", false],
    ["127.0.0.1.example.org", false],
    ["example.org", false],
  ])("is %s: %s", (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });
});
