import { once } from "node:events";
import { createServer } from "node:net";
import type { ContentHash } from "@flare-ts/contracts";
import { afterEach, describe, expect, it } from "vitest";
import { dialServer } from "../dial-server.js";
import { startTestServer, type TestServer } from "../test-server.test-support.js";
import { startTestProxy, type TestProxy } from "./connect-proxy.test-support.js";
import type { Environment } from "./proxy-from-environment.js";

const hash = "ef".repeat(32) as ContentHash;

let server: TestServer;
let proxy: TestProxy | undefined;

afterEach(async () => {
  await server.stop();
  await proxy?.stop();
  proxy = undefined;
});

function through(port: number, userinfo = ""): Environment {
  return { HTTPS_PROXY: `http://${userinfo}127.0.0.1:${port}`, NO_PROXY: "<-loopback>" };
}

describe("dialServer behind a proxy", () => {
  it("tunnels with user and password; TLS ends at the server, whose name is checked as ever", async () => {
    server = await startTestServer();
    proxy = await startTestProxy();
    const environment = through(proxy.port, "ann:s%40cret@");
    const init = { ...server.dialInit("site-1"), environment };
    const site = await dialServer(init);
    await site.stat({ hash, size: 1 });
    site.close();
    expect(proxy.heard).toEqual([`localhost:${server.port} ann:s@cret`]);
    await expect(dialServer({ ...init, serverIdentity: "server-2" })).rejects.toMatchObject({ code: "auth/server-untrusted" });
    const stranger = { ...init, host: "127.0.0.1" };
    await expect(dialServer(stranger)).rejects.toMatchObject({ code: "auth/tls-refused", message: expect.stringContaining("127.0.0.1") });
    await expect(dialServer({ ...init, project: "another" })).rejects.toMatchObject({ code: "auth/wrong-project" });
  });

  it("asks for addresses of version 6 in brackets, and shows a name that the server's certificate has not", async () => {
    server = await startTestServer();
    proxy = await startTestProxy({ leadTo: server.port });
    const init = { ...server.dialInit("site-1"), environment: through(proxy.port) };
    await expect(dialServer({ ...init, host: "::1" })).rejects.toMatchObject({ code: expect.stringMatching(/^(auth|transfer)\//) });
    expect(proxy.heard).toEqual([`[::1]:${server.port}`]);
  });

  it("leads several connections through tunnels of their own, and sees the end of each", async () => {
    server = await startTestServer();
    proxy = await startTestProxy();
    const environment = through(proxy.port);
    const first = await dialServer({ ...server.dialInit("site-1"), environment });
    const second = await dialServer({ ...server.dialInit("site-2"), environment });
    expect(proxy.heard).toHaveLength(2);
    await proxy.stop();
    proxy = undefined;
    expect(await Promise.all([first.closed, second.closed])).toEqual(expect.arrayContaining([expect.stringContaining("lost")]));
  });

  it.each([
    [
      'HTTP/1.1 407 Authentication Required\r\nProxy-Authenticate: Basic realm="a, b"',
      "ann:hush@",
      "transfer/proxy-authentication",
      "does not take",
    ],
    [
      'HTTP/1.1 407 Authentication Required\r\nProxy-Authenticate: Basic realm="a"',
      "",
      "transfer/proxy-authentication",
      "its URL has none",
    ],
    [
      "HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM",
      "ann:hush@",
      "transfer/proxy-authentication",
      "Negotiate or NTLM",
    ],
    ["HTTP/1.0 403 Filtered", "ann:hush@", "transfer/proxy-forbidden", "403 Filtered"],
    ["HTTP/1.1 405 Method Not Allowed", "", "transfer/proxy-forbidden", "405"],
    ["HTTP/1.1 502 Bad Gateway", "ann:hush@", "transfer/proxy-failed", "502 Bad Gateway"],
    ["HTTP/1.1 302 Found\r\nLocation: http://portal.test/", "", "transfer/proxy-failed", "302 Found"],
    ["SSH-2.0-OpenSSH_9.2", "ann:hush@", "transfer/proxy-failed", "Parse Error"],
  ])("says what %j means", async (answer, userinfo, code, words) => {
    server = await startTestServer();
    proxy = await startTestProxy({ answer });
    const environment = through(proxy.port, userinfo);
    const error: unknown = await dialServer({ ...server.dialInit("site-1"), environment }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
    expect(JSON.stringify(error)).toContain(`127.0.0.1:${proxy.port}`);
    expect(`${JSON.stringify(error)}${String((error as Error).stack)}`).not.toMatch(/hush|aHVz/);
  });

  it("names a proxy that is dead, that has no address, or that hangs up", async () => {
    server = await startTestServer();
    const init = server.dialInit("site-1");
    const unreachable = { code: "transfer/proxy-unreachable", row: { isRetryable: true } };
    await expect(dialServer({ ...init, environment: through(1, "ann:hush@") })).rejects.toMatchObject({
      ...unreachable,
      message: expect.stringMatching(/^The proxy 127\.0\.0\.1:1 of HTTPS_PROXY cannot be reached: .*ECONNREFUSED/),
    });
    const nowhere = { https_proxy: "http://nowhere.invalid:3128", no_proxy: "<-loopback>" };
    await expect(dialServer({ ...init, environment: nowhere })).rejects.toMatchObject(unreachable);
    const deaf = createServer((socket) => socket.once("data", () => socket.end())).listen(0, "127.0.0.1");
    await once(deaf, "listening");
    const address = deaf.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(dialServer({ ...init, environment: through(port) })).rejects.toMatchObject({
      code: "transfer/proxy-failed",
      message: expect.stringContaining("without an answer"),
    });
    deaf.close();
    await once(deaf, "close");
  });

  it("is refused before anything is dialled where the variable cannot be used", async () => {
    server = await startTestServer();
    const dial = (url: string): Promise<unknown> =>
      dialServer({ ...server.dialInit("site-1"), environment: { https_proxy: url, no_proxy: "<-loopback>" } });
    await expect(dial("https://proxy.test")).rejects.toMatchObject({ code: "transfer/proxy-not-supported" });
    await expect(dial("socks5://proxy.test")).rejects.toMatchObject({ code: "transfer/proxy-not-supported" });
    await expect(dial("http://:")).rejects.toMatchObject({ code: "transfer/proxy-invalid" });
  });
});
