import { z } from "zod";
import { apiPrefix, isRaw, type RawContent, type RouteDefinition } from "../contract/define-route.js";

/** Any JSON object of the document. */
export type OpenApiNode = { readonly [key: string]: unknown };

/** Describes all routes of the table. @see https://spec.openapis.org/oas/v3.1.0 */
export function openApiDocument(routes: readonly RouteDefinition[]): OpenApiNode {
  const paths: Record<string, Record<string, OpenApiNode>> = {};
  for (const route of routes) {
    const path = `${apiPrefix}${route.path.replaceAll(/:([A-Za-z]+)/g, "{$1}")}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "FLARE-TS dashboard",
      version: "1",
      description:
        "Times are milliseconds since the epoch; their names end in Ms. Changes need the header x-csrf-token of GET /api/v1/session.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: { Error: errorSchema },
      responses: {
        Error: {
          description: "What is wrong, and what to do",
          content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
        },
      },
      securitySchemes: {
        session: { type: "apiKey", in: "cookie", name: "__Host-flare", description: "Set by POST /api/v1/session." },
        csrf: { type: "apiKey", in: "header", name: "x-csrf-token", description: "Given by GET /api/v1/session." },
      },
    },
  };
}

function operation(route: RouteDefinition): OpenApiNode {
  const isChange = route.method !== "GET";
  const parameters = [...parametersOf(route.params, "path"), ...parametersOf(route.query, "query")];
  return {
    operationId: route.id,
    summary: route.summary,
    tags: [route.id.split(".")[0]],
    ...(typeof route.access === "string"
      ? {}
      : { description: `For ${route.access.join(", ")}${route.scope === undefined ? "" : " (own organisation)"}.` }),
    security: route.access === "open" ? [] : [isChange ? { session: [], csrf: [] } : { session: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: contentOf(route.body, "input") } }),
    responses: {
      [String(route.status ?? (route.response === "nothing" ? 204 : 200))]: success(route),
      default: { $ref: "#/components/responses/Error" },
    },
  };
}

function success({ response }: RouteDefinition): OpenApiNode {
  if (response === "nothing") return { description: "Done" };
  return { description: "Done", content: contentOf(response, "output") };
}

function contentOf(content: z.ZodType | RawContent, io: "input" | "output"): OpenApiNode {
  if (isRaw(content)) return { [content.mediaType]: {} };
  return { "application/json": { schema: schemaOf(content, io) } };
}

function parametersOf(schema: z.ZodObject | undefined, place: "path" | "query"): OpenApiNode[] {
  return Object.entries(schema?.shape ?? {}).map(([name, value]) => ({
    name,
    in: place,
    required: place === "path" || !(value as z.ZodType).safeParse(undefined).success,
    schema: schemaOf(value as z.ZodType, "input"),
  }));
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): OpenApiNode {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, target: "draft-2020-12", reused: "inline" });
  return rest;
}

const errorSchema = {
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["code", "message", "todo"],
      properties: {
        code: { type: "string", description: "A code of the catalogue, area/what" },
        message: { type: "string", description: "What happened" },
        todo: { type: "string", description: "What to do next" },
        problems: {
          type: "array",
          items: { type: "object", required: ["message"], properties: { message: { type: "string" }, path: { type: "string" } } },
        },
        retryAfterMs: { type: "number", description: "How long to wait before the next attempt" },
      },
    },
  },
} as const;
