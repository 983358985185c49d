import type { ClientComponent } from "./app-components.js";
import { defaultPsiPath } from "./psi-components.js";
import type { PsiItems } from "./psi-launch.js";

/** What is wrong with the components that an executor of intersections leads to: where, and how. */
export interface PsiComponentProblem {
  /** `undefined`: at the executor's own `psi_algo_id`. */
  readonly at: { readonly component: number; readonly arg: string } | undefined;
  readonly message: string;
}

/** Follows an executor's `psi_algo_id` to what has the identifiers. */
export function psiItemsOf(algorithm: string, components: readonly ClientComponent[]): PsiItems | PsiComponentProblem {
  const find = (id: string) => components.find((one) => one.id === id);
  const handler = find(algorithm);
  if (handler?.kind !== "psi-handler") return { at: undefined, message: missing(algorithm, handler, "a DhPSITaskHandler") };
  const at = { component: components.indexOf(handler), arg: "local_psi_id" };
  const local = find(handler.localPsiId);
  if (local?.kind === "generator") {
    const writers = components.flatMap((one) => (one.kind === "psi-writer" ? [[one.id, one.outputPath] as const] : []));
    return { kind: "class", made: local.generator, writers: Object.fromEntries(writers) };
  }
  if (local?.kind !== "csv-items")
    return { at, message: missing(handler.localPsiId, local, "CsvItems, and no class that derives from PSI") };
  const { dataset, column, delimiter, writerId } = local;
  const writer = writerId === undefined ? undefined : find(writerId);
  if (writerId !== undefined && writer?.kind !== "psi-writer") {
    return { at: { component: components.indexOf(local), arg: "psi_writer_id" }, message: missing(writerId, writer, "a FilePSIWriter") };
  }
  const outputPath = writer?.kind === "psi-writer" ? writer.outputPath : defaultPsiPath;
  return { kind: "csv", dataset, column, delimiter, outputPath };
}

/** Ids of the components that an executor of intersections makes use of. */
export function psiComponentsUsed(algorithm: string, components: readonly ClientComponent[]): readonly string[] {
  const handler = components.find(({ id }) => id === algorithm);
  const local = handler?.kind === "psi-handler" ? components.find(({ id }) => id === handler.localPsiId) : undefined;
  const writers =
    local?.kind === "csv-items"
      ? [local.writerId]
      : local?.kind === "generator"
        ? // Which of them a class takes is known at the site alone.
          components.flatMap((one) => (one.kind === "psi-writer" ? [one.id] : []))
        : [];
  return [algorithm, local?.id, ...writers].flatMap((id) => (id === undefined ? [] : [id]));
}

function missing(id: string, found: ClientComponent | undefined, wanted: string): string {
  return found === undefined ? `no component has the id '${id}'` : `'${id}' is not ${wanted}`;
}
