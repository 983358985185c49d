import { exitStatus, grpcStatus, row } from "./row.js";

const refused = { exit: exitStatus.connection, grpc: grpcStatus.unauthenticated, http: 401 } as const;

/** Errors of the area `auth`: who may open a session, and whose call it is. */
export const authErrors = {
  "auth/protocol-version": row(
    "site",
    "The two sides speak different versions of the wire protocol.",
    "Install the same release line of FLARE-TS on both sides.",
    { exit: exitStatus.connection, grpc: grpcStatus.failedPrecondition, http: 426 },
  ),
  "auth/wrong-project": row(
    "site",
    "The participant belongs to another project than the server.",
    "Use the startup kit of the server's project.",
    refused,
  ),
  "auth/unknown-challenge": row(
    "site",
    "The challenge was never given out, or it was answered before: a recorded registration that is played again looks like this.",
    "Register again; if nobody did, look in the audit log for the address that tried.",
    refused,
  ),
  "auth/challenge-expired": row(
    "site",
    "The answer to the challenge came too late.",
    "Check the clock and the load of the site, then register again.",
    {
      ...refused,
      isRetryable: true,
    },
  ),
  "auth/too-many-challenges": row(
    "server",
    "Too many registrations are open at once.",
    "Wait a moment; if it stays, look in the audit log for who opens them.",
    {
      exit: exitStatus.connection,
      isRetryable: true,
      grpc: grpcStatus.resourceExhausted,
      http: 429,
    },
  ),
  "auth/certificate-unreadable": row(
    "site",
    "The certificate cannot be parsed.",
    "Use the certificate of the startup kit as it is.",
    refused,
  ),
  "auth/certificate-untrusted": row(
    "site",
    "The certificate was not issued by this project's root.",
    "Use the startup kit of this project; the audit log names the certificate.",
    refused,
  ),
  "auth/certificate-expired": row(
    "site",
    "The certificate is past its last day.",
    "Ask the project's administrator for a new kit.",
    refused,
  ),
  "auth/certificate-revoked": row(
    "site",
    "The project trusts this certificate no more: it was revoked.",
    "Ask the project's administrator, who knows the reason; a participant that comes back gets a new certificate.",
    refused,
  ),
  "auth/certificate-not-yet-valid": row("site", "The certificate's first day lies ahead.", "Check the clocks of both machines.", refused),
  "auth/renewal-not-offered": row(
    "site",
    "Certificates of this project are not renewed over the wire.",
    "Ask the project's administrator for a new kit before the certificate ends.",
    { exit: exitStatus.connection, grpc: grpcStatus.failedPrecondition, http: 403 },
  ),
  "auth/renewal-too-late": row(
    "site",
    "The certificate ended longer ago than the project's grace for renewals.",
    "Ask the project's administrator for a new kit.",
    refused,
  ),
  "auth/renewal-pending": row(
    "site",
    "The certificate has ended, and its renewal waits to be signed.",
    "Tell the project's administrator, who signs it with `flare cert renewals`; the participant goes on by itself then.",
    { exit: exitStatus.connection, isRetryable: true, grpc: grpcStatus.unavailable, http: 503 },
  ),
  "auth/renewal-refused": row(
    "site",
    "A renewal asks for something else than the same certificate with another key and later dates.",
    "Start the participant from its own, unchanged kit; if it stays, ask the project's administrator for a new kit.",
    { exit: exitStatus.connection, grpc: grpcStatus.permissionDenied, http: 403 },
  ),
  "auth/renewal-too-often": row(
    "site",
    "The participant has had many certificates in a short time.",
    "Wait; if it stays, look for a second process with the same kit.",
    { exit: exitStatus.connection, isRetryable: true, grpc: grpcStatus.resourceExhausted, http: 429 },
  ),
  "auth/renewal-impossible": row(
    "server",
    "The server cannot issue certificates: its issuing certificate is missing, has ended, or is not for this kind of participant.",
    "Give the server a new issuing certificate: `flare cert renewals` signs the request that it has made.",
    { exit: exitStatus.connection, isRetryable: true, grpc: grpcStatus.unavailable, http: 503 },
  ),
  "auth/renewal-untrusted": row(
    "server",
    "What the server gave in place of the certificate is not a renewal of it.",
    "Look at the server: it issues with the wrong certificate, or something answers in its place.",
    { exit: exitStatus.connection, isRetryable: true, grpc: grpcStatus.failedPrecondition, http: 502 },
  ),
  "auth/certificate-usage": row(
    "site",
    "The certificate was issued for another use.",
    "Use the certificate of the participant's own startup kit.",
    refused,
  ),
  "auth/name-mismatch": row(
    "site",
    "The certificate carries another name than the one claimed.",
    "Start the participant from its own, unchanged kit.",
    refused,
  ),
  "auth/bad-signature": row(
    "site",
    "The signature does not prove possession of the certificate's key.",
    "Check that key and certificate of the kit belong together.",
    refused,
  ),
  "auth/wrong-kind": row(
    "site",
    "A participant asked for something that is for another kind of participant.",
    "Use a client's kit for a site and an admin's kit for commands.",
    {
      exit: exitStatus.connection,
      grpc: grpcStatus.permissionDenied,
      http: 403,
    },
  ),
  "auth/not-allowed": row(
    "site",
    "The participant's identity is proven, but it may not take part any more.",
    "Ask the project's administrator.",
    {
      exit: exitStatus.connection,
      grpc: grpcStatus.permissionDenied,
      http: 403,
    },
  ),
  "auth/site-disabled": row(
    "site",
    "An admin has disabled the site: its sessions are refused until it is enabled again.",
    "Nothing at the site, which goes on asking and comes back by itself: an admin lets it in with `flare system enable-client`.",
    { exit: exitStatus.connection, isRetryable: true, grpc: grpcStatus.permissionDenied, http: 403 },
  ),
  "auth/already-connected": row(
    "site",
    "The participant has a live session on another connection.",
    "Stop the other process that runs with this kit; a dead one is forgotten by itself.",
    { exit: exitStatus.connection, isRetryable: true, grpc: grpcStatus.alreadyExists, http: 409 },
  ),
  "auth/token-unknown": row("site", "The session's token is not known.", "Register again.", { ...refused, isRetryable: true }),
  "auth/token-expired": row("site", "The session's token is past its end.", "Register again.", { ...refused, isRetryable: true }),
  "auth/token-not-yours": row(
    "site",
    "The token was issued to another connection: a token that was copied looks like this.",
    "Register again; if nobody copied it, look in the audit log for the address that tried.",
    refused,
  ),
  "auth/proof-missing": row(
    "site",
    "The call carries a token without the proof that it is the owner's: a token that was copied looks like this.",
    "Nothing for the owner; look in the audit log for the address that tried.",
    refused,
  ),
  "auth/proof-invalid": row(
    "site",
    "The proof of a call does not fit: it is another session's, or the call was changed on its way.",
    "Look for what changes calls between site and server, such as a proxy that rewrites bodies; the audit log names the address.",
    refused,
  ),
  "auth/call-replayed": row(
    "site",
    "The call was made before, or so many later ones came first that nobody can tell: a recorded call that is played again looks like this.",
    "Check that no proxy on the way repeats requests by itself; if none does, look in the audit log for the address that tried.",
    refused,
  ),
  "auth/security-mismatch": row(
    "site",
    "The two sides disagree on whether TLS ends at the server or at a proxy.",
    "Give both kits connection_security that fits together: mtls on both sides, or tls or clear on both sides.",
    { exit: exitStatus.connection, grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "auth/session-ended": row("server", "The server ended the session.", "The reason is in the message.", {
    exit: exitStatus.connection,
    isRetryable: true,
    grpc: grpcStatus.unauthenticated,
    http: 401,
  }),
  "auth/tls-refused": row(
    "site",
    "The two sides do not accept each other's certificates for TLS.",
    "Check that both kits are of the same project and valid today, and that the server is addressed by a name of its certificate.",
    refused,
  ),
  "auth/server-untrusted": row(
    "server",
    "Whoever answered at the server's address cannot prove to be the server.",
    "Check the address; if it is right, something between site and server answers in its place.",
    refused,
  ),
  "auth/command-invalid": row(
    "user",
    "A command does not carry a good signature of this session's participant.",
    "Give the command again with the admin's own kit.",
    {
      exit: exitStatus.connection,
      grpc: grpcStatus.permissionDenied,
      http: 403,
    },
  ),
  "auth/not-authorized": row(
    "user",
    "The policy does not let this person do that.",
    "Ask for the right: the policy is `local/authorization.json` in the kit of the server or site that refused.",
    { exit: exitStatus.connection, grpc: grpcStatus.permissionDenied, http: 403 },
  ),
} as const;
