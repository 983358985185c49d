export type { PreflightCheck, PreflightCheckName, PreflightOutcome } from "./preflight-check.js";
export { type RunPreflightInit, runPreflight } from "./run-preflight.js";
