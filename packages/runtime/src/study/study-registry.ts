import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FlareError, limits, readDocument, studyRegistrySchema, Turns } from "@flare-ts/contracts";
import type { Logger } from "../logging/logger.js";
import { diskError, errnoOf } from "../store/file-model-store-disk.js";
import { Studies } from "./studies.js";

export interface StudyRegistryComponents {
  /** Replaces a file as a whole. */
  readonly write: (file: string, text: string) => Promise<void>;
  readonly logger: Logger;
}

export interface StudyRegistryInit {
  /** Folder of the kit with the studies as they were provisioned; they count until something is changed. */
  readonly localDir: string;
  /** Folder of the server, where changes are kept. */
  readonly workspace: string;
}

const fileName = "study_registry.json";

/** A change of the studies, with what whoever asked for it is told. */
export interface StudyChange<Answer> {
  readonly studies: Studies;
  readonly answer: Answer;
}

/** The studies of a project as they are in force at its server, durable; one change at a time. */
export class StudyRegistry {
  readonly #write: StudyRegistryComponents["write"];
  readonly #file: string;
  readonly #followers = new Set<() => void>();
  #studies: Studies;
  /** The tail of what is being done. */
  readonly #turns = new Turns();

  private constructor({ write }: Pick<StudyRegistryComponents, "write">, init: { readonly file: string; readonly studies: Studies }) {
    this.#write = write;
    this.#file = init.file;
    this.#studies = init.studies;
  }

  /** @throws FlareError `kit/local-invalid` with each mistake and its line, `file/unreadable` */
  static async open(components: StudyRegistryComponents, { localDir, workspace }: StudyRegistryInit): Promise<StudyRegistry> {
    const file = join(workspace, fileName);
    const changed = await readStudies(file);
    if (changed !== undefined) components.logger.info("studies are as they were changed here, not as in the kit", { file });
    const studies = changed ?? (await readStudies(join(localDir, fileName))) ?? Studies.none;
    return new StudyRegistry(components, { file, studies });
  }

  get studies(): Studies {
    return this.#studies;
  }

  /** Does something during which no study changes. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#turns.take(work);
  }

  /**
   * Changes the studies; they are in force when this resolves, and survive a crash.
   *
   * @throws FlareError what `change` throws, `study/not-kept`, or why it could not be written; nothing is changed then
   */
  change<Answer>(change: (studies: Studies) => StudyChange<Answer> | Promise<StudyChange<Answer>>): Promise<Answer> {
    return this.inTurn(async () => {
      const { studies, answer } = await change(this.#studies);
      if (studies === this.#studies) return answer;
      await this.#write(this.#file, textOf(studies)).catch((error: unknown) => {
        throw diskError(error, this.#file);
      });
      this.#studies = studies;
      for (const follower of this.#followers) follower();
      return answer;
    });
  }

  /** Hears of each change, when it is in force; returns a function that stops it. */
  follow(follower: () => void): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }
}

async function readStudies(file: string): Promise<Studies | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw new FlareError("file/unreadable", `Cannot read ${file}.`, { facts: { file }, cause: error });
  }
  return Studies.from(readDocument({ text, file, schema: studyRegistrySchema, code: "kit/local-invalid" }).value);
}

/** What would not be read at the next start as it is must not be written. */
function textOf(studies: Studies): string {
  const text = `${JSON.stringify(studies.toDocument(), undefined, 2)}\n`;
  const why = problemOf(text);
  if (why === undefined) return text;
  throw new FlareError("study/not-kept", `The studies cannot be kept: ${why}.`, { facts: { why } });
}

function problemOf(text: string): string | undefined {
  if (Buffer.byteLength(text) > limits.documentBytes) return `more than ${limits.documentBytes} bytes`;
  const parsed = studyRegistrySchema.safeParse(JSON.parse(text));
  if (parsed.error !== undefined) return parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`)[0];
  const isSame = JSON.stringify(Studies.from(parsed.data).toDocument()) === JSON.stringify(JSON.parse(text));
  return isSame ? undefined : "a name would be lost";
}
