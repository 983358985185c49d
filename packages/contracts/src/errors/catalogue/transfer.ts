import { exitStatus, grpcStatus, row } from "./row.js";

const connection = { exit: exitStatus.connection, isRetryable: true, grpc: grpcStatus.unavailable, http: 503 } as const;

/** Errors of the area `transfer`: connections, and objects on their way or at rest. */
export const transferErrors = {
  "transfer/unreachable": row(
    "server",
    "No connection to the server could be made.",
    "Check the address, the network, and whether the server runs.",
    connection,
  ),
  "transfer/proxy-invalid": row(
    "user",
    "An environment variable that names a proxy does not hold the URL of one.",
    "Write it as http://host:port, or http://user:password@host:port with special characters in percent form, or unset it.",
  ),
  "transfer/proxy-not-supported": row(
    "user",
    "The environment names a proxy of a kind that cannot be used: only HTTP proxies that are spoken to in clear text can.",
    "Set grpc_proxy to the http:// address of a proxy that answers CONNECT, or list the server in no_grpc_proxy.",
  ),
  "transfer/proxy-unreachable": row(
    "site",
    "The proxy that the environment names does not answer.",
    "Check its address and that it runs, or list the server in NO_PROXY where it is reached without a proxy.",
    connection,
  ),
  "transfer/proxy-authentication": row(
    "user",
    "The proxy wants a user and a password, and does not take those that it was given.",
    "Write them into the proxy's URL: http://user:password@host:port, special characters in percent form.",
    { exit: exitStatus.connection },
  ),
  "transfer/proxy-forbidden": row(
    "site",
    "The proxy refuses to connect to the server.",
    "Have whoever runs the proxy allow CONNECT to the server's name and port.",
    { exit: exitStatus.connection },
  ),
  "transfer/proxy-failed": row(
    "server",
    "The proxy could not connect to the server, or answered with something that makes no sense.",
    "Check whether the server runs, and whether the proxy's network reaches it.",
    connection,
  ),
  "transfer/disconnected": row(
    "server",
    "The connection ended before the call did.",
    "Nothing: the call is made again on the next connection.",
    connection,
  ),
  "transfer/server-stopping": row("server", "The server is shutting down.", "Wait until it runs again.", connection),
  "transfer/cannot-listen": row(
    "user",
    "The server's port cannot be opened.",
    "Check whether another process holds the port, and the address. EACCES at a port below 1024: those are root's, where net.ipv4.ip_unprivileged_port_start of the machine is not lower; root in the container of docker.sh counts as anybody.",
    {
      exit: exitStatus.connection,
    },
  ),
  "transfer/clear-refused": row(
    "user",
    "A connection in clear text would leave this machine.",
    "Use connection_security tls or mtls; or, where the network itself protects it, allow it with --allow-clear at start or FLARE_ALLOW_CLEAR=1.",
    {
      exit: exitStatus.connection,
    },
  ),
  "transfer/protocol": row(
    "bug",
    "The other side sent something that the wire protocol does not allow.",
    "Compare the versions of both sides.",
  ),
  "transfer/not-allowed": row(
    "site",
    "The participant may not read or write this object.",
    "Nothing: the object is not part of a task or job of this participant.",
    {
      grpc: grpcStatus.permissionDenied,
      http: 403,
    },
  ),
  "transfer/object-missing": row("server", "The object is not in the store.", "Hand it in again, or ask for one that is there.", {
    grpc: grpcStatus.notFound,
    http: 404,
  }),
  "transfer/hash-mismatch": row(
    "site",
    "The bytes of an object do not have the hash that names it; they were thrown away.",
    "Send it again; if it stays, check disk and memory.",
    {
      grpc: grpcStatus.dataLoss,
      http: 422,
    },
  ),
  "transfer/size-mismatch": row(
    "site",
    "An object has another size than announced; what arrived was thrown away.",
    "Send it again with its right size.",
    {
      grpc: grpcStatus.invalidArgument,
      http: 422,
    },
  ),
  "transfer/base-missing": row("server", "The object that an upload copies from is not there any more.", "Nothing: the bytes are sent.", {
    isRetryable: true,
    grpc: grpcStatus.failedPrecondition,
    http: 409,
  }),
  "transfer/incomplete": row("site", "An object was to be finished before all its bytes were there.", "Send the rest.", {
    isRetryable: true,
    grpc: grpcStatus.failedPrecondition,
  }),
  "transfer/wrong-offset": row(
    "site",
    "A piece of an object does not follow on what is there.",
    "Ask for the durable offset and go on from it.",
    {
      isRetryable: true,
      grpc: grpcStatus.outOfRange,
      http: 416,
    },
  ),
  "transfer/superseded": row("site", "A newer transfer of the same object took over.", "Nothing: the newer one goes on.", {
    isRetryable: true,
    grpc: grpcStatus.aborted,
    http: 409,
  }),
  "transfer/stalled": row(
    "server",
    "A transfer made no progress for the stall time, and was broken off.",
    "Nothing: it goes on from where it was. If it happens again, look at the network and at the disk of the other side, or raise stall_timeout.",
    connection,
  ),
  "transfer/disk-full": row("server", "The disk is full.", "Free space; the transfer then goes on where it was.", {
    isRetryable: true,
    grpc: grpcStatus.resourceExhausted,
    http: 507,
  }),
} as const;
