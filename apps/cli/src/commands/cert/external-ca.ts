import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { KeyType } from "@flare-ts/contracts";
import { FlareError } from "@flare-ts/contracts";
import { type ExternalCaResult, importCa, requestCa, useCa } from "@flare-ts/provision";
import { type WorkspaceCaKeyOptions, workspaceCaKey } from "../../ca-key/workspace-ca-key.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { writeNewFile } from "../../command-line/write-new-file.js";

/** Which project a CA from elsewhere is for. */
export interface CaPlaceOptions extends WorkspaceCaKeyOptions {
  readonly workspace: string;
  readonly project: string;
}

/** What `flare cert ca use` is given. */
export interface UseCaOptions extends CaPlaceOptions {
  readonly caCert: string;
  readonly caKey: string;
  readonly keyType: KeyType;
}

/** What `flare cert ca request` is given. */
export interface RequestCaOptions extends CaPlaceOptions {
  readonly out: string;
  readonly keyType: KeyType;
}

/** What `flare cert ca import` is given. */
export interface ImportCaOptions extends CaPlaceOptions {
  readonly chain: string;
}

/** Issues a project's certificates below a CA from elsewhere. */
export async function useCaCommand(context: CommandContext, options: UseCaOptions): Promise<CommandOutput> {
  const [chainPem, privateKeyPem] = await Promise.all([readText(context, options.caCert), readText(context, options.caKey)]);
  return outputOf(await useCa({ ...placeOf(context, options), chainPem, privateKeyPem, keyType: options.keyType }));
}

/** Writes a request for the certificate of a project's authority. */
export async function requestCaCommand(context: CommandContext, options: RequestCaOptions): Promise<CommandOutput> {
  const csrPem = await requestCa({ ...placeOf(context, options), keyType: options.keyType });
  const file = resolve(context.cwd, options.out);
  await writeNewFile(file, csrPem);
  return {
    data: { project: options.project, request: file },
    text: [`Wrote ${file}.`],
    hints: ["Next: have it signed as a certificate of an authority, then flare cert ca import --chain <certificate and those above it>"],
  };
}

/** Takes the certificate that a CA elsewhere made from the request. */
export async function importCaCommand(context: CommandContext, options: ImportCaOptions): Promise<CommandOutput> {
  return outputOf(await importCa({ ...placeOf(context, options), chainPem: await readText(context, options.chain) }));
}

function outputOf({ authority, root, validUntil, trust }: ExternalCaResult): CommandOutput {
  return {
    data: { authority, root, valid_until: validUntil.toISOString(), trust_list: trust?.trustListFile ?? null },
    text: [`Certificates come from '${authority}' below '${root}', until ${validUntil.toISOString()}.`],
    hints:
      trust === undefined
        ? []
        : ["The project had another root: both are trusted now. Next: flare cert push, then as after flare cert rollover start."],
  };
}

function placeOf(context: CommandContext, options: CaPlaceOptions) {
  return {
    workspace: resolve(context.cwd, options.workspace),
    project: options.project,
    caKey: workspaceCaKey(context, { ...options, makesKits: false }),
  };
}

async function readText({ cwd }: CommandContext, file: string): Promise<string> {
  return await readFile(resolve(cwd, file), "utf8").catch((cause: unknown) => {
    throw new FlareError("file/unreadable", `Cannot read ${file}.`, { cause, facts: { file } });
  });
}
