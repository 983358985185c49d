import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFederation, type Federation } from "./federation.js";

describe.each(["rsa-2048", "p256"])("with keys of the type %s,", (keyType) => {
  let federation: Federation;
  let stranger: Federation;

  beforeAll(async () => {
    const settings = { project: { certificates: { key_type: keyType } } };
    federation = await createFederation({ sites: ["site-1"], settings });
    stranger = await createFederation({ sites: ["site-1"], project: "elsewhere", port: federation.port, settings });
    await federation.start("server");
  });

  afterAll(async () => {
    await federation.dispose();
    await stranger.dispose();
  });

  describe.skipIf(!isInstalled("curl"))("curl (Debian package curl), with the files of a kit as they are,", () => {
    const curl = (host: string, ...args: readonly string[]) => {
      const address = `https://${host}:${federation.port}/`;
      const { status, stdout, stderr } = spawnSync(
        "curl",
        [
          "--silent",
          "--show-error",
          "--noproxy",
          "*",
          "--output",
          "/dev/null",
          "--write-out",
          "%{http_version} %{ssl_verify_result}",
          ...args,
          address,
        ],
        { encoding: "utf8", timeout: 20_000 },
      );
      return { status, stdout, stderr };
    };
    const identity = (startup: string): string[] => ["--cert", join(startup, "client.crt"), "--key", join(startup, "client.key")];
    const root = (of: Federation): string[] => ["--cacert", join(startupOf(of), "rootCA.pem")];

    it("is let in and accepts the server", () => {
      expect(curl("localhost", ...root(federation), ...identity(startupOf(federation)))).toMatchObject({ status: 0, stdout: "2 0" });
    });

    it("is turned away without a certificate, and with that of another project", () => {
      expect(curl("localhost", ...root(federation)).status).not.toBe(0);
      expect(curl("localhost", ...root(federation), ...identity(startupOf(stranger))).status).not.toBe(0);
    });

    it("turns the server away for another root and for another name", () => {
      const other = curl("localhost", ...root(stranger), ...identity(startupOf(federation)));
      expect(other.stderr).toMatch(/certificate/i);
      expect(other.status).toBe(60);
      const elsewhere = ["--connect-to", `elsewhere.example.org:${federation.port}:localhost:${federation.port}`];
      expect(curl("elsewhere.example.org", ...elsewhere, ...root(federation), ...identity(startupOf(federation))).status).toBe(60);
    });
  });

  describe.skipIf(!isInstalled("python3"))("Python's ssl (Debian package python3), with the files of a kit as they are,", () => {
    const python = (startup: string, root: string, host: string, withIdentity = true): string => {
      const { stdout, stderr } = spawnSync("python3", ["-c", program, startup, root, host, String(federation.port), String(withIdentity)], {
        encoding: "utf8",
        timeout: 20_000,
      });
      return `${stdout}${stderr}`.trim();
    };
    const rootOf = (of: Federation): string => join(startupOf(of), "rootCA.pem");

    it("is let in and accepts the server", () => {
      expect(python(startupOf(federation), rootOf(federation), "localhost")).toBe("h2 server");
    });

    it("is turned away without a certificate, and with that of another project", () => {
      expect(python(startupOf(federation), rootOf(federation), "localhost", false)).toMatch(/refused/);
      expect(python(startupOf(stranger), rootOf(federation), "localhost")).toMatch(/refused/);
    });

    it("turns the server away for another root and for another name", () => {
      expect(python(startupOf(federation), rootOf(stranger), "localhost")).toMatch(/CERTIFICATE_VERIFY_FAILED/);
      expect(python(startupOf(federation), rootOf(federation), "elsewhere.example.org")).toMatch(/Hostname mismatch/);
    });
  });
});

const startupOf = (of: Federation): string => join(of.kitOf("site-1"), "startup");

function isInstalled(command: string): boolean {
  return spawnSync(command, ["--version"]).error === undefined;
}

// With TLS 1.3 the server's refusal of a certificate comes when the client reads, after its own side of the handshake.
const program = `
import socket, ssl, sys
startup, root, host, port, with_identity = sys.argv[1:]
context = ssl.create_default_context(cafile=root)
context.set_alpn_protocols(["h2"])
if with_identity == "true":
    context.load_cert_chain(startup + "/client.crt", startup + "/client.key")
try:
    with socket.create_connection(("127.0.0.1", int(port)), 10) as raw, context.wrap_socket(raw, server_hostname=host) as tls:
        tls.sendall(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        answer = tls.recv(9)
        if len(answer) < 9:
            sys.exit("refused: the server hung up")
        role = [value for field in tls.getpeercert()["subject"] for name, value in field if name == "unstructuredName"]
        print(tls.selected_alpn_protocol(), *role)
except ssl.SSLCertVerificationError as error:
    print(error)
except (ssl.SSLError, ConnectionError) as error:
    print("refused:", error)
`;
