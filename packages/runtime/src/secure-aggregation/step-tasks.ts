/** What sites are asked for, besides their updates, so that those can be added without being read. */
export type SecureStep = "keys" | "mask" | "confirm" | "reveal";

const stepName = /^(.+)\.secure-(keys|mask|confirm|reveal)(?:-\d+)?$/;

/** The name of the task in which a step is asked of sites. Each attempt at a sum has its own; keys are asked for once. */
export function stepTask(task: string, step: SecureStep, attempt: number): string {
  return step === "keys" ? `${task}.secure-keys` : `${task}.secure-${step}-${attempt}`;
}

/** Which step a task is, and of which task its round is; `undefined` for a task of a workflow. */
export function stepOf(task: string): { readonly task: string; readonly step: SecureStep } | undefined {
  const [, base, step] = stepName.exec(task) ?? [];
  return base === undefined || step === undefined ? undefined : { task: base, step: step as SecureStep };
}
