export { type FaultKind, type FaultOutcome, faultKinds, faultTexts, type PlannedFault } from "./faults/fault.js";
export type { ChaosKits } from "./federation/chaos-kits.js";
export { descendantsOf, type ProcessEntry, processesWith } from "./federation/process-tree.js";
export type { FlareCommand } from "./federation/supervised-service.js";
export { type TrainerLanguage, trainerLanguages } from "./job/train-scripts.js";
export { type ChaosJobInit, type JobCourse, jobCourses, writeChaosJob } from "./job/write-chaos-job.js";
export type { RunCheck } from "./run/check-run.js";
export { type ChaosProgress, type ChaosReport, type RunChaosInit, runChaos } from "./run/run-chaos.js";
