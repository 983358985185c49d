import { FlareError } from "@flare-ts/contracts/errors";

/** The error of a command line that cannot be understood: exit status 4. */
export function invalidArguments(message: string): FlareError {
  return new FlareError("cli/invalid-arguments", message);
}
