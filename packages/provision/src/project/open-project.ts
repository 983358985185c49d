import { type DocumentTree, readDocumentTree } from "@flare-ts/contracts";
import { type AddedParticipant, addParticipants } from "./add-participants.js";
import { expandEdge } from "./expand-edge.js";
import { includeFiles } from "./include-files.js";

/**
 * A project file as one document: what it includes merged in, participants of other files added, the tree of an `edge`
 * map made. Every part knows its file and line.
 *
 * @throws FlareError `project/invalid`.
 */
export function openProject(text: string, file: string, added: readonly AddedParticipant[]): DocumentTree {
  const tree = includeFiles(readDocumentTree({ text, file, code: "project/invalid", hasMergeKeys: true }), file);
  return expandEdge(addParticipants(tree, added), file);
}
