import { type ConnectionSecurity, FlareError } from "@flare-ts/contracts";
import { afterEach, describe, expect, it } from "vitest";
import type { ProjectKeys } from "../session/project-keys.js";
import { dialServer } from "./dial-server.js";
import { explainDialFailure } from "./explain-dial-failure.js";
import { startTestServer, type TestServer } from "./test-server.test-support.js";

it("whoever gets no answer is told for how long, and not where the library has spent the time", () => {
  const details = "Deadline exceeded after 60.010s,name resolution: 0.007s,metadata filters: 0.002s,Waiting for LB pick";
  const reason = new FlareError("transfer/disconnected", "The connection ended.", { facts: { details } });
  const keys = {} as ProjectKeys;
  const { code, message } = explainDialFailure(reason, { host: "localhost", port: 8002, keys, connectionSecurity: "tls" });
  expect(code).toBe("transfer/unreachable");
  expect(message).toMatch(/^The server at localhost:8002 cannot be reached: nobody has answered for 60 s; [^:,]*, [^:,]*\.$/);
});

describe("a kit that was made before the project changed connection_security", () => {
  let server: TestServer;
  afterEach(() => server.stop());

  it.each<[kit: ConnectionSecurity, server: ConnectionSecurity, code: string, words: RegExp]>([
    ["mtls", "clear", "auth/tls-refused", /answers without TLS, and this kit says connection_security mtls: .* whose kit says clear\.$/],
    ["tls", "clear", "auth/tls-refused", /answers without TLS, and this kit says connection_security tls: /],
    ["tls", "mtls", "transfer/unreachable", /This kit says connection_security tls, which shows none; does the server's say mtls\?$/],
    ["clear", "mtls", "transfer/unreachable", /This kit says connection_security clear; does the server's say mtls or tls\?$/],
    ["clear", "tls", "transfer/unreachable", /This kit says connection_security clear; /],
    ["mtls", "tls", "auth/security-mismatch", /The participant's kit says that TLS ends at the server \(mtls\)/],
  ])("is told so: %s at a server with %s", async (connectionSecurity, way, code, words) => {
    server = await startTestServer({}, { way });
    const dial = dialServer({ ...server.dialInit("site-1"), connectionSecurity });
    await expect(dial).rejects.toMatchObject({ code, message: expect.stringMatching(words) as string });
  });

  it.each<ConnectionSecurity>(["mtls", "tls", "clear"])("is told nothing of the kind where nobody listens: %s", async (way) => {
    server = await startTestServer({}, { way });
    const init = server.dialInit("site-1");
    await server.transport.stop(0);
    const words = expect.stringMatching(/cannot be reached: nothing listens there \(connect ECONNREFUSED [^)]*\)\.$/) as string;
    await expect(dialServer(init)).rejects.toMatchObject({ code: "transfer/unreachable", message: words });
  });
});
