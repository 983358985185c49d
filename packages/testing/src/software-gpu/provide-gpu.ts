import process from "node:process";
import { provideSoftwareGpu, type SoftwareGpu } from "./provide-software-gpu.js";

/** A GPU for tests: `isSoftware` says whether it is one that computes on the CPU. */
export type TestGpu = (SoftwareGpu & { readonly isSoftware: true }) | { readonly kind: "ready"; readonly isSoftware: false };

/** Has the tests of GPUs run on the machine's own one: any value but the empty one. */
const ownGpuVariable = "FLARE_TEST_OWN_GPU";

/** The GPU in software that `provideSoftwareGpu` gives, or the machine's own where the environment asks for that. */
export async function provideGpu(): Promise<TestGpu> {
  if ((process.env[ownGpuVariable] ?? "") !== "") return { kind: "ready", isSoftware: false };
  return { ...(await provideSoftwareGpu()), isSoftware: true };
}
