import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate, PeerCertificate } from "node:tls";
import { limits } from "@flare-ts/contracts";
import { type ProjectTrust, readSubject } from "@flare-ts/provision/kit";

/** Who is expected at the other end of a connection. */
export interface ExpectedPeer {
  readonly name: string;
  readonly role: "server" | "relay";
}

/** What is wrong with the certificate that a handshake showed where somebody of the project is dialled; `undefined` when it is theirs. */
export function strangerTo({ name, role }: ExpectedPeer, shown: PeerCertificate, trust: ProjectTrust): Error | undefined {
  const verdict = trust.verify(chainOf(shown), { nowMs: Date.now() });
  if (!verdict.ok) return new Error(`certificate of the ${role}: ${verdict.message}`);
  const subject = readSubject(verdict.certificate);
  if (subject.role === role && subject.commonName === name) return undefined;
  return new Error(
    `certificate is that of ${JSON.stringify(subject.commonName)} (${subject.role}), not of the ${role} ${JSON.stringify(name)}`,
  );
}

function chainOf(shown: PeerCertificate): string {
  const chain: string[] = [];
  let next: PeerCertificate | DetailedPeerCertificate | undefined = shown;
  while (next?.raw !== undefined && chain.length < limits.chainCertificates) {
    const pem = new X509Certificate(next.raw).toString();
    if (chain.includes(pem)) break;
    chain.push(pem);
    next = "issuerCertificate" in next ? next.issuerCertificate : undefined;
  }
  return chain.join("");
}
