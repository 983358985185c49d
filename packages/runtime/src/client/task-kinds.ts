import type { WelcomeMessage } from "./protocol.js";

/** Names of tasks by what they ask for, as a job process tells them to its trainer. */
export type TaskNames = Pick<WelcomeMessage, "train_task_names" | "evaluate_task_names" | "submit_model_task_names">;

/** Whether a task is training. */
export function isTrain(task: string, { train_task_names }: TaskNames): boolean {
  return train_task_names.includes(task);
}

/** Whether a task is evaluation alone, which is answered with metrics and without a tensor. */
export function isEvaluate(task: string, names: TaskNames): boolean {
  return evaluateTaskNames(names).includes(task) && !isTrain(task, names);
}

/** Whether a task asks for the site's own best model. */
export function isSubmitModel(task: string, { submit_model_task_names = ["submit_model"] }: TaskNames): boolean {
  return submit_model_task_names.includes(task);
}

/** Names of tasks that are evaluation; job processes of earlier releases do not say them. */
export function evaluateTaskNames({ evaluate_task_names = ["validate"] }: TaskNames): readonly string[] {
  return evaluate_task_names;
}
