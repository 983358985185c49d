/** One file of a kit before it is written. */
export interface KitFile {
  /** Inside the kit, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/** A file that anybody may read. */
export function plainFile(path: string, text: string): KitFile {
  return { path, text, mode: 0o644 };
}

/** A file for its owner's eyes only. */
export function secretFile(path: string, text: string): KitFile {
  return { path, text, mode: 0o600 };
}

/** A file that can be run. */
export function scriptFile(path: string, text: string): KitFile {
  return { path, text, mode: 0o755 };
}

/** A JSON document, indented, with a line break at its end. */
export function jsonFile(path: string, value: unknown): KitFile {
  return plainFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
