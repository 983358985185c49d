import { exitStatus, grpcStatus, row } from "./row.js";

/** Errors that belong to no single room. */
export const generalErrors = {
  "internal/bug": row("bug", "Something happened that this software does not expect.", "Run again with --verbose and report the output."),
  "internal/aborted": row("user", "The operation was stopped before it ended.", "Start it again; it goes on where it was.", {
    isRetryable: true,
    grpc: grpcStatus.cancelled,
    http: 499,
  }),
  "cli/invalid-arguments": row("user", "The command line cannot be understood.", "Run the command with --help.", {
    exit: exitStatus.invalidArguments,
  }),
  "file/not-found": row("user", "A file or folder that was asked for does not exist.", "Check the path.", {
    grpc: grpcStatus.notFound,
    http: 404,
  }),
  "file/unreadable": row("user", "A file exists but cannot be read.", "Check its owner and mode."),
  "file/unwritable": row("user", "A file or folder cannot be written.", "Check its owner, mode and the free space of the disk."),
  "document/invalid": row("user", "A file that a person writes has mistakes.", "Correct the lines that the message names."),
  "file/exists": row(
    "user",
    "A file or folder is there already and is not overwritten.",
    "Name another place, move the old one away, or use --force.",
  ),
} as const;
