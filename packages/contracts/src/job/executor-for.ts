/** The executor or filter for a task, or `undefined`. */
export function executorFor<Entry extends { readonly tasks: readonly string[] }>(
  executors: readonly Entry[],
  task: string,
): Entry | undefined {
  return executors.find(({ tasks }) => tasks.some((name) => (name.endsWith("*") ? task.startsWith(name.slice(0, -1)) : task === name)));
}
