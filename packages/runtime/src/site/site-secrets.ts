import { readFile } from "node:fs/promises";
import { FlareError, type SecretSource } from "@flare-ts/contracts";

/** Secrets that a site's operator keeps for trainers: in files of the site's, or in the environment that it was started with. */
export class SiteSecrets {
  readonly #sources: Readonly<Record<string, SecretSource>>;
  readonly #environment: Readonly<Record<string, string | undefined>>;

  constructor(
    components: { readonly environment: Readonly<Record<string, string | undefined>> },
    init: { readonly sources: Readonly<Record<string, SecretSource>> },
  ) {
    this.#environment = components.environment;
    this.#sources = init.sources;
  }

  /**
   * The values of secrets as they are now, by name.
   *
   * @throws FlareError `client-api/secret-missing`, which names the secret and never its value
   */
  async read(names: readonly string[]): Promise<Readonly<Record<string, string>>> {
    return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await this.#read(name)] as const)));
  }

  async #read(name: string): Promise<string> {
    const source = Object.hasOwn(this.#sources, name) ? this.#sources[name] : undefined;
    if (source === undefined) throw missing(name, "local/resources.json of this site does not name it");
    if ("from_env" in source) {
      const value = this.#environment[source.from_env];
      if (value !== undefined) return value;
      throw missing(name, `the site was started without the variable ${source.from_env}`);
    }
    try {
      // Whoever writes a file by hand ends it with a line feed, which is no part of the secret.
      return (await readFile(source.from_file, "utf8")).replace(/\r?\n$/, "");
    } catch (cause) {
      throw missing(name, `its file cannot be read: ${(cause as NodeJS.ErrnoException).code ?? "unknown reason"}`);
    }
  }
}

function missing(name: string, why: string): FlareError {
  return new FlareError("client-api/secret-missing", `The job needs the secret '${name}': ${why}.`, { facts: { secret: name } });
}
