import type { KeyObject } from "node:crypto";
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { signBytes } from "../kit/signature.js";
import { signatureFile } from "../kit/signature-file.js";
import { jsonFile, type KitFile } from "./kit-file.js";

const startup = "startup/";
/** Whatever the umask: who could write to a folder could put another script into the place of one that is run, which nothing checks. */
export const folderMode = 0o755;

/**
 * Writes kits, one after the other. All that it does is done when a call returns: a kit is a dozen small files and signatures, and to
 * hand each to a thread of Node's pool and wait for it costs more of a processor than the work itself, which making keys needs.
 */
export class KitWriter {
  readonly #rootKey: KeyObject;
  /** By path inside a kit. What is the same in kit after kit is signed once: the signature is of the bytes alone, and takes 0.7 ms. */
  readonly #lastSigned = new Map<string, { readonly text: string; readonly signature: string }>();
  readonly #isCut = new Map<number, boolean>();

  /** @param rootKey signs every startup folder. */
  constructor(rootKey: KeyObject) {
    this.#rootKey = rootKey;
  }

  /** Writes a kit into a folder that does not exist yet, with `signature.json` over all of its startup folder. */
  writeKit(dir: string, files: readonly KitFile[]): void {
    const signed = files.filter(({ path }) => path.startsWith(startup)).toSorted((a, b) => (a.path < b.path ? -1 : 1));
    const signatures = Object.fromEntries(signed.map((file) => [file.path.slice(startup.length), this.#signatureOf(file)]));
    this.writeFiles(dir, [...files, jsonFile(startup + signatureFile, signatures)]);
    mkdirSync(join(dir, "transfer"), { mode: folderMode });
  }

  /** Writes files with their modes below a folder, and never over one that is there. */
  writeFiles(dir: string, files: readonly KitFile[]): void {
    if (files.length === 0) return;
    mkdirSync(dir, { recursive: true, mode: folderMode });
    for (const folder of new Set(files.map(({ path }) => dirname(path)))) {
      if (folder !== ".") mkdirSync(join(dir, folder), { recursive: true, mode: folderMode });
    }
    for (const { path, text, mode } of files) {
      writeFileSync(join(dir, path), text, { encoding: "utf8", flag: "wx", mode });
      this.#uncut(join(dir, path), mode);
    }
  }

  #signatureOf({ path, text }: KitFile): string {
    const last = this.#lastSigned.get(path);
    if (last?.text === text) return last.signature;
    const signature = signBytes(Buffer.from(text, "utf8"), this.#rootKey, { salt: "longest" }).toString("base64");
    this.#lastSigned.set(path, { text, signature });
    return signature;
  }

  /**
   * The mode given when a file is made is cut by the umask, the same way for every file: one of them shows how. There are a dozen
   * files in each of a hundred kits, and a system call for each is felt.
   */
  #uncut(path: string, mode: number): void {
    if (!this.#isCut.has(mode)) this.#isCut.set(mode, (statSync(path).mode & 0o777) !== mode);
    if (this.#isCut.get(mode) === true) chmodSync(path, mode);
  }
}
