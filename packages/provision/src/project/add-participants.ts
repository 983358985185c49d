import { type DocumentTree, FlareError, readDocumentTree } from "@flare-ts/contracts";
import { entriesOf, listOf, madeFrom, mapOf, partOf } from "./document-parts.js";
import { includeFiles } from "./include-files.js";

/** A file that describes one more participant, for `--add-user` and `--add-client`. */
export interface AddedParticipant {
  readonly type: "admin" | "client";
  readonly text: string;
  readonly file: string;
}

/** Puts participants that files of their own describe at the end of a project's list. */
export function addParticipants(project: DocumentTree, added: readonly AddedParticipant[]): DocumentTree {
  const entries = entriesOf(project);
  if (added.length === 0 || entries === undefined) return project;
  const list = entries.get("participants");
  const items = list !== undefined && Array.isArray(list.value) ? list.value.map((_, index) => partOf(list, index)) : [];
  entries.set("participants", listOf([...items, ...added.map(readAdded)], list ?? project));
  return mapOf(entries, project);
}

function readAdded({ type, text, file }: AddedParticipant): DocumentTree {
  const tree = includeFiles(readDocumentTree({ text, file, code: "project/invalid", hasMergeKeys: true }), file);
  const entries = entriesOf(tree);
  if (entries !== undefined) return mapOf(new Map([...entries, ["type", madeFrom(type, tree)]]), tree);
  const keys = type === "admin" ? "name, org and role" : "name and org";
  const place = tree.locate([]);
  throw new FlareError("project/invalid", `${file} has a mistake.`, {
    problems: [{ ...place, message: `must be a map with ${keys}` }],
    facts: { file },
  });
}
