import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect, createServer, type PeerCertificate, type Server, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { provisionExample } from "../../test/provision-example.js";
import { temporaryFolder } from "../../test/temporary-folder.js";

const run = promisify(execFile);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let stranger: Awaited<ReturnType<typeof temporaryFolder>>;
let startupOf: (name: string) => string;
let strangersStartup: string;

beforeAll(async () => {
  [folder, stranger] = await Promise.all([temporaryFolder(), temporaryFolder()]);
  const [ours, theirs] = await Promise.all([provisionExample(folder.dir), provisionExample(stranger.dir)]);
  startupOf = (name) => join(ours.prodDir, name, "startup");
  strangersStartup = join(theirs.prodDir, "hospital-a", "startup");
});
afterAll(async () => {
  await Promise.all([folder.remove(), stranger.remove()]);
});

const participants: readonly [string, "server" | "client", string][] = [
  ["server1.example.org", "server", "CN=server1.example.org,O=consortium,unstructuredName=server"],
  ["hospital-a", "client", "CN=hospital-a,O=hospital_a,unstructuredName=client"],
  ["admin@example.org", "client", "CN=admin@example.org,O=consortium,unstructuredName=lead"],
];

describe("OpenSSL", () => {
  const x509 = async (file: string, ...args: string[]): Promise<string> =>
    (await run("openssl", ["x509", "-in", file, "-noout", ...args])).stdout;

  it.each(participants)("accepts the chain of %s for its purpose as %s only", async (name, type) => {
    const verify = async (purpose: string): Promise<string> => {
      const args = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", join(startupOf(name), "rootCA.pem")];
      return (await run("openssl", [...args, join(startupOf(name), `${type}.crt`)])).stdout;
    };
    expect(await verify(type === "server" ? "sslserver" : "sslclient")).toContain("OK");
    await expect(verify(type === "server" ? "sslclient" : "sslserver")).rejects.toThrow("error 26");
  });

  it.each(participants)("reads subject, key usage and key identifiers of %s", async (name, type, subject) => {
    const file = join(startupOf(name), `${type}.crt`);
    expect((await x509(file, "-subject", "-nameopt", "sep_comma_plus,sname")).trim().replace("subject=", "")).toBe(subject);
    const text = await x509(file, "-text");
    expect(text).toMatch(/Public-Key: \(2048 bit\)/);
    expect(text).toContain("Exponent: 65537");
    expect(text).toContain("Signature Algorithm: sha256WithRSAEncryption");
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature, Key Encipherment\n/);
    expect(text).toMatch(new RegExp(`Extended Key Usage: \\s*TLS Web ${type === "server" ? "Server" : "Client"} Authentication\n`));
    expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
    const root = await x509(join(startupOf(name), "rootCA.pem"), "-text");
    const identifier = (whose: string, of: string): string | undefined =>
      new RegExp(`${whose} Key Identifier: \\s*(?:keyid:)?([0-9A-F:]+)`).exec(of)?.[1];
    expect(identifier("Authority", text)).toBe(identifier("Subject", root));
    expect(identifier("Subject", text)).not.toBe(identifier("Subject", root));
  });

  it("reads the names that a certificate is good for", async () => {
    const names = async (name: string, file: string): Promise<string> => await x509(join(startupOf(name), file), "-ext", "subjectAltName");
    expect(await names("server1.example.org", "server.crt")).toContain(
      "DNS:server1.example.org, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
    );
    expect(await names("hospital-a", "client.crt")).toContain("DNS:hospital-a");
    expect(await names("admin@example.org", "client.crt")).toContain("DNS:admin@example.org");
  });

  it("reads the root as one that may sign certificates and revocation lists", async () => {
    const text = await x509(join(startupOf("hospital-a"), "rootCA.pem"), "-text");
    expect(text).toMatch(/Subject: CN ?= ?example_project/);
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE/);
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature, Certificate Sign, CRL Sign/);
  });

  it("finds the key in FLARE's form", async () => {
    expect(await readFile(join(startupOf("hospital-a"), "client.key"), "utf8")).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
  });
});

describe("mutual TLS", () => {
  const files = async (dir: string, type: string): Promise<{ key: Buffer; cert: Buffer; ca: Buffer }> => {
    const [key, cert, ca] = await Promise.all(
      [`${type}.key`, `${type}.crt`, "rootCA.pem"].map(async (file) => await readFile(join(dir, file))),
    );
    if (key === undefined || cert === undefined || ca === undefined) throw new Error("a file is missing");
    return { key, cert, ca };
  };

  const withServer = async <T>(use: (port: number, seen: Promise<PeerCertificate | Error>) => Promise<T>): Promise<T> => {
    const server: Server = createServer({
      ...(await files(startupOf("server1.example.org"), "server")),
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
    });
    const seen = new Promise<PeerCertificate | Error>((settle) => {
      server.once("secureConnection", (socket: TLSSocket) => {
        settle(socket.getPeerCertificate());
        socket.end();
      });
      server.once("tlsClientError", (error) => {
        settle(error);
      });
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    try {
      return await use((server.address() as AddressInfo).port, seen);
    } finally {
      await new Promise((closed) => server.close(closed));
    }
  };

  const dial = async (
    port: number,
    dir: string,
    more: { host?: string; servername?: string; ca?: Buffer } = {},
  ): Promise<Error | undefined> => {
    const options = { ...(await files(dir, "client")), host: "127.0.0.1", ...more, port };
    return await new Promise((settle) => {
      const socket = connect(options);
      socket.once("error", settle);
      socket.once("close", () => {
        settle(undefined);
      });
      socket.resume();
    });
  };

  it.each(["hospital-a", "admin@example.org"])("lets %s in, at every host of the server", async (name) => {
    for (const servername of ["server1.example.org", "localhost"]) {
      await withServer(async (port, seen) => {
        expect(await dial(port, startupOf(name), { servername })).toBeUndefined();
        expect(await seen).toMatchObject({ subject: { CN: name } });
      });
    }
    await withServer(async (port, seen) => {
      expect(await dial(port, startupOf(name))).toBeUndefined();
      expect(await seen).toMatchObject({ subject: { CN: name } });
    });
  });

  it("keeps out a certificate of another project with the same name", async () => {
    await withServer(async (port, seen) => {
      const { ca } = await files(startupOf("hospital-a"), "client");
      await dial(port, strangersStartup, { ca });
      expect(await seen).toBeInstanceOf(Error);
    });
  });

  it("keeps a client away from a server of another project, and from a name that is not the server's", async () => {
    await withServer(async (port) => {
      expect((await dial(port, strangersStartup))?.message).toMatch(/certificate/);
    });
    await withServer(async (port) => {
      expect((await dial(port, startupOf("hospital-a"), { servername: "other.example.org" }))?.message).toContain("does not match");
    });
  });
});
