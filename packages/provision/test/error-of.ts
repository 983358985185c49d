import { FlareError } from "@flare-ts/contracts";

/** The FlareError that a promise ends with; anything else fails the test. */
export async function errorOf(promise: Promise<unknown>): Promise<FlareError> {
  try {
    await promise;
  } catch (reason) {
    if (reason instanceof FlareError) return reason;
    throw reason;
  }
  throw new Error("it should have failed and did not");
}
