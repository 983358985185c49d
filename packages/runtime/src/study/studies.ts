import { defaultStudy, type StudyRegistryDocument } from "@flare-ts/contracts";

/** Who belongs to a study. */
export interface Study {
  /** Sites of each organisation. */
  readonly siteOrgs: ReadonlyMap<string, readonly string[]>;
  /** Names of admins. */
  readonly users: readonly string[];
}

/** The studies of a project at one moment, without that of everybody. */
export class Studies {
  static readonly none = new Studies(new Map());
  readonly #studies: ReadonlyMap<string, Study>;

  private constructor(studies: ReadonlyMap<string, Study>) {
    this.#studies = studies;
  }

  /** What a registry that was checked says. */
  static from({ studies }: StudyRegistryDocument): Studies {
    const entries = Object.entries(studies).map(([name, study]): [string, Study] => [
      name,
      { siteOrgs: new Map(Object.entries(study?.site_orgs ?? {})), users: [...new Set(study?.admins)] },
    ]);
    return new Studies(new Map(entries));
  }

  /** Sorted. */
  names(): string[] {
    return [...this.#studies.keys()].sort();
  }

  get(name: string): Study | undefined {
    return this.#studies.get(name);
  }

  /** Whether an admin may work in a study; everybody in the study of everybody. */
  hasUser(study: string, user: string): boolean {
    return study === defaultStudy || (this.#studies.get(study)?.users.includes(user) ?? false);
  }

  /** Whether a site belongs to a study, with its organisation where that is known; each to the study of everybody. */
  hasSite(study: string, site: string, org?: string): boolean {
    if (study === defaultStudy) return true;
    const orgs = this.#studies.get(study)?.siteOrgs ?? new Map<string, readonly string[]>();
    const groups = org === undefined ? [...orgs.values()] : [orgs.get(org) ?? []];
    return groups.some((sites) => sites.includes(site));
  }

  /** With a study as it is to be. */
  with(name: string, study: Study): Studies {
    return new Studies(new Map(this.#studies).set(name, study));
  }

  without(name: string): Studies {
    return new Studies(new Map([...this.#studies].filter(([each]) => each !== name)));
  }

  toDocument(): StudyRegistryDocument {
    const studies = this.names().map((name) => {
      const { siteOrgs, users } = this.#studies.get(name) ?? { siteOrgs: new Map<string, readonly string[]>(), users: [] };
      const orgs = [...siteOrgs].map(([org, sites]): [string, string[]] => [org, [...sites]]);
      return [name, { site_orgs: Object.fromEntries(orgs), admins: [...users] }];
    });
    return { format_version: "1.0", studies: Object.fromEntries(studies) as StudyRegistryDocument["studies"] };
  }
}
