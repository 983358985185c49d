import { z } from "zod";

const names = (what: string) => z.array(z.string(`must be the name of the ${what}`), { error: `must be a list of ${what}s` });

/** One study of a project file: the sites of each organisation, and the admins, that belong to it. */
export const studySchema = z
  .looseObject({
    site_orgs: z.record(z.string(), names("site"), { error: "must be a map of organisations, each with a list of sites" }).nullish(),
    admins: names("admin").nullish(),
  })
  .nullable();
