/** The `Examples:` part of a command's help: what each command line is for, then the line itself. */
export function examplesText(examples: readonly (readonly [purpose: string, commandLine: string])[]): string {
  return `\nExamples:\n${examples.map(([purpose, line]) => `  # ${purpose}\n  $ ${line}`).join("\n\n")}\n`;
}
