import { z } from "zod";
import { nearestWord } from "../errors/nearest-word.js";
import { categoryOf, policyRightNames, type Right, type RightCategory } from "./rights.js";

const conditionSchema = z
  .string("must be a condition or a list of conditions")
  .regex(
    /^(not )?(any|all|none|no|(o|org|n|name|study):\S+)$/,
    "must be any, none, o:<org>, o:site, o:submitter, n:<name>, n:submitter or study:<name>, or one of these after 'not '",
  );

const conditionsSchema = z.union([conditionSchema, z.array(conditionSchema)]);

const rightsSchema = z.record(z.string(), conditionsSchema).superRefine((rights, context) => {
  for (const right of Object.keys(rights)) {
    if (policyRightNames.includes(right)) continue;
    const near = nearestWord(right, policyRightNames);
    context.addIssue({
      code: "custom",
      path: [right],
      message: `unknown right '${right}'${near === undefined ? "" : `; did you mean '${near}'?`}`,
    });
  }
});

/** `local/authorization.json`: what a site lets whom do. */
export const authorizationPolicySchema = z.strictObject({
  format_version: z.literal("1.0"),
  permissions: z.record(z.string(), z.union([conditionsSchema, rightsSchema])),
});

/** What a site lets whom do: by role, conditions for everything or for each right or category. */
export type AuthorizationPolicy = z.infer<typeof authorizationPolicySchema>;

/** Who wants to do what, where. */
export interface AuthorizationRequest {
  readonly right: Right;
  /** @default the category that the table of rights gives */
  readonly category?: RightCategory;
  readonly user: { readonly name: string; readonly org: string; readonly role: string };
  /** The site that it is about; its organisation may not be known where a server is asked for it. */
  readonly site: { readonly org: string | undefined };
  /** Who submitted the job in question, where there is one. */
  readonly submitter?: { readonly name: string; readonly org: string };
  /** The study that it is about. */
  readonly study?: string;
}

/**
 * Whether a policy lets a user do something: the right's own entry decides, else its category's, else `*`; a list
 * allows what any of its conditions allows. What no entry speaks of is refused, and no role is above the policy. A
 * condition on a submitter, a study or a site's organisation that is not known is never met, negated or not.
 */
export function isAllowed(policy: AuthorizationPolicy, request: AuthorizationRequest): boolean {
  const entry = own(policy.permissions, request.user.role);
  if (entry === undefined) return false;
  if (typeof entry === "string" || Array.isArray(entry)) return meetsAny(entry, request);
  const category = request.category ?? categoryOf(request.right);
  const conditions = own(entry, request.right) ?? (category === undefined ? undefined : own(entry, category)) ?? own(entry, "*");
  return conditions !== undefined && meetsAny(conditions, request);
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function meetsAny(conditions: string | readonly string[], request: AuthorizationRequest): boolean {
  return (typeof conditions === "string" ? [conditions] : conditions).some((condition) => meets(condition, request));
}

function meets(condition: string, request: AuthorizationRequest): boolean {
  const isNegated = condition.startsWith("not ");
  const outcome = evaluate(isNegated ? condition.slice("not ".length) : condition, request);
  return outcome !== undefined && outcome !== isNegated;
}

/** `undefined` when the condition speaks of someone who is not known. */
function evaluate(condition: string, { user, site, submitter, study }: AuthorizationRequest): boolean | undefined {
  if (condition === "any" || condition === "all") return true;
  if (condition === "none" || condition === "no") return false;
  const colon = condition.indexOf(":");
  const kind = condition.slice(0, colon);
  const wanted = condition.slice(colon + 1);
  if (kind === "o" || kind === "org") {
    if (wanted === "site") return site.org === undefined ? undefined : user.org === site.org;
    if (wanted === "submitter") return submitter === undefined ? undefined : user.org === submitter.org;
    return user.org === wanted;
  }
  if (kind === "n" || kind === "name") {
    if (wanted === "submitter") return submitter === undefined ? undefined : user.name === submitter.name;
    return user.name === wanted;
  }
  if (kind === "study") return study === undefined ? undefined : study === wanted;
  return undefined;
}
