import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, it } from "vitest";
import { apiPrefix } from "../contract/define-route.js";
import { allRoutes } from "../contract/routes.js";
import { startTestDashboard } from "../test-dashboard.test-support.js";
import { type OpenApiNode, openApiDocument } from "./open-api-document.js";

it("the OpenAPI document is valid and has every route of the table", async () => {
  const { url } = await startTestDashboard("SQLite");
  const document = (await (await fetch(`${url}${apiPrefix}/openapi.json`)).json()) as OpenApiNode;
  const validator = new Validator();
  const outcome = await validator.validate(structuredClone(document));
  expect(outcome.errors ?? []).toEqual([]);
  expect(outcome.valid).toBe(true);
  expect(validator.version).toBe("3.1");
  const paths = document["paths"] as Record<string, Record<string, { operationId: string; responses: object; requestBody?: object }>>;
  const described = Object.values(paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
  expect(described.toSorted()).toEqual(allRoutes.map(({ id }) => id).toSorted());
  const incomplete = allRoutes.filter((route) => {
    const path = paths[`${apiPrefix}${route.path.replaceAll(/:([A-Za-z]+)/g, "{$1}")}`]?.[route.method.toLowerCase()];
    return path === undefined || (path.requestBody !== undefined) !== (route.body !== undefined) || !("default" in path.responses);
  });
  expect(incomplete.map(({ id }) => id)).toEqual([]);
});

it("a broken document would be found", async () => {
  const broken = { ...openApiDocument(allRoutes), paths: { "/x": { get: { responses: 1 } } } };
  expect((await new Validator().validate(broken)).valid).toBe(false);
});
