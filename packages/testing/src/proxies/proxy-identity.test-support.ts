import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Certificate of a proxy that ends TLS, by an authority that has nothing to do with the project; paths of PEM files. */
export interface ProxyIdentity {
  readonly root: string;
  readonly certificate: string;
  readonly key: string;
  /** Certificate and key in one file, as HAProxy wants them. */
  readonly both: string;
  remove(): Promise<void>;
}

/** Has `openssl` make an authority, and a certificate for `localhost` by it. */
export async function createProxyIdentity(): Promise<ProxyIdentity> {
  const folder = await mkdtemp(join(tmpdir(), "flare-proxy-identity-"));
  const at = (name: string): string => join(folder, name);
  const paths = { root: at("root.crt"), certificate: at("proxy.crt"), key: at("proxy.key"), both: at("proxy.pem") };
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"];
  openssl("req", "-x509", ...curve, "-keyout", at("root.key"), "-out", paths.root, "-subj", "/CN=Public Authority");
  const names = ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"];
  const issuer = ["-CA", paths.root, "-CAkey", at("root.key")];
  openssl("req", "-x509", ...curve, "-keyout", paths.key, "-out", paths.certificate, "-subj", "/CN=localhost", ...issuer, ...names);
  await writeFile(paths.both, `${await readFile(paths.certificate, "utf8")}${await readFile(paths.key, "utf8")}`);
  return { ...paths, remove: () => rm(folder, { recursive: true, force: true }) };
}

function openssl(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${args[0] ?? ""} ended with ${status}: ${stderr}`);
}
