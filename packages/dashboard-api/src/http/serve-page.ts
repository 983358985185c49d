import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import { FlareError } from "@flare-ts/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { createToken, type RandomBytes } from "../secrets/tokens.js";
import { pagePolicy } from "./security-headers.js";

/** Stands in the built page where each answer's nonce goes. */
const noncePlaceholder = "__CSP_NONCE__";

/** Answers a request with the page, if it is a browser's navigation; whether it was one. */
export type PageAnswer = (request: FastifyRequest, reply: FastifyReply) => boolean;

/**
 * Serves the built page: its files as they are, and `index.html` with a fresh nonce at every address that is nothing else,
 * because the page has its own addresses.
 *
 * @throws FlareError `dashboard/invalid-settings` when the folder holds no built page
 */
export async function servePage(
  app: FastifyInstance,
  { randomBytes }: { readonly randomBytes: RandomBytes },
  init: { readonly pageFolder: string },
): Promise<PageAnswer> {
  const { pageFolder } = init;
  const html = await readFile(join(pageFolder, "index.html"), "utf8").catch((cause: unknown) => {
    throw new FlareError("dashboard/invalid-settings", `There is no built page in ${pageFolder}.`, { facts: { pageFolder }, cause });
  });
  const answer = (reply: FastifyReply): FastifyReply => {
    const nonce = createToken(randomBytes);
    return reply
      .code(200)
      .type("text/html; charset=utf-8")
      .header("cache-control", "no-store")
      .header("content-security-policy", pagePolicy(nonce))
      .send(html.replaceAll(noncePlaceholder, nonce));
  };
  await app.register(fastifyStatic, {
    root: pageFolder,
    index: false,
    wildcard: false,
    globIgnore: ["index.html"],
    dotfiles: "ignore",
    preCompressed: true,
    setHeaders: (reply, path) => {
      // Names of built files hold a hash of what is in them.
      const isHashed = path.startsWith(join(pageFolder, "assets"));
      reply.header("cache-control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
  app.get("/", (_request, reply) => answer(reply));
  app.get("/index.html", (_request, reply) => answer(reply));
  return (request, reply) => {
    const isNavigation = request.method === "GET" && (request.headers.accept ?? "").includes("text/html");
    if (!isNavigation || request.url.startsWith("/api/")) return false;
    answer(reply);
    return true;
  };
}
