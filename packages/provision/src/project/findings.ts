import { FlareError, type Problem } from "@flare-ts/contracts";

/** A path inside a project file. */
export type DocumentPath = readonly PropertyKey[];

/** Collects what is wrong or without effect in one project file, each with its line. */
export class Findings {
  readonly #problemAt: (path: DocumentPath, message: string) => Problem;
  readonly #mistakes: Problem[] = [];
  readonly #warnings: Problem[] = [];

  constructor(document: { readonly problemAt: (path: DocumentPath, message: string) => Problem }) {
    this.#problemAt = document.problemAt;
  }

  mistake(path: DocumentPath, message: string): void {
    this.#mistakes.push(this.#problemAt(path, message));
  }

  warning(path: DocumentPath, message: string): void {
    this.#warnings.push(this.#problemAt(path, message));
  }

  /** Makes problems that stand at a path, for what is found later. */
  problemAt(path: DocumentPath): (message: string) => Problem {
    return (message) => this.#problemAt(path, message);
  }

  get warnings(): readonly Problem[] {
    return byLine(this.#warnings);
  }

  /** @throws FlareError `project/invalid` when there are mistakes. */
  throwIfAny(file: string): void {
    const problems = byLine(this.#mistakes);
    if (problems.length === 0) return;
    const count = problems.length === 1 ? "a mistake" : `${problems.length} mistakes`;
    throw new FlareError("project/invalid", `${file} has ${count}.`, { problems, facts: { file } });
  }
}

function byLine(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
