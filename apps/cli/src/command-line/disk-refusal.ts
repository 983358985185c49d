import { accessSync, constants } from "node:fs";
import { FlareError } from "@flare-ts/contracts";

/** Calls of the system about files; what sockets and processes are refused has other reasons. */
const fileCalls =
  /^(access|chmod|chown|copyfile|f?sync|f?truncate|f?utimes?|fdatasync|link|mkdir|mkdtemp|open|read|rename|rm|rmdir|scandir|symlink|unlink|write)$/;

/**
 * What the system refused for a reason that the person can mend, such as a full disk or a folder that may only be read, as an error that says
 * so; `undefined` for everything else.
 */
export function diskRefusal(reason: unknown): FlareError | undefined {
  // What was taken for a fault on its way here keeps what it was.
  if (reason instanceof FlareError) return reason.code === "internal/bug" ? diskRefusal(reason.cause) : undefined;
  if (!(reason instanceof Error)) return undefined;
  const { code, syscall = "", path: first, dest } = reason as NodeJS.ErrnoException & { readonly dest?: string };
  if (syscall === "uv_cwd") {
    return new FlareError("file/not-found", "The folder that this command runs in is there no more; change to another one.", {
      cause: reason,
    });
  }
  if (syscall === "uv_os_homedir") {
    return new FlareError("file/not-found", "This user has no home folder; set HOME to the folder to take.", { cause: reason });
  }
  if (code === undefined || !fileCalls.test(syscall)) return undefined;
  // A copy that the disk has no room for names what is copied first.
  const path = dest ?? first;
  const facts = { reason: code, ...(path === undefined ? {} : { path }) };
  const what = path ?? "to the disk";
  const why = systemWords(reason);
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EROFS") {
    return new FlareError("file/unwritable", `Cannot write ${what}: ${why}.`, { facts, cause: reason });
  }
  if (code !== "EACCES" && code !== "EPERM") return undefined;
  const isUnreadable = /^(access|read|scandir)$/.test(syscall) || (syscall === "open" && path !== undefined && !isReadable(path));
  if (isUnreadable) return new FlareError("file/unreadable", `Cannot read ${what}: ${why}.`, { facts, cause: reason });
  return new FlareError("file/unwritable", `Cannot write ${what}: ${why}.`, { facts, cause: reason });
}

/** The system's own words for what it refused, such as "no space left on device". */
export function systemWords({ message, code = message }: NodeJS.ErrnoException): string {
  return /^[A-Z]+: ([^,]+)/.exec(message)?.[1] ?? code;
}

/** Of a file that is not there, it is the folder that refuses to take it. */
function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}
