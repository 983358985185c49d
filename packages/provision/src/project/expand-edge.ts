import { checkDocument, type DocumentTree, type EdgeDocument, edgeSchema, FlareError } from "@flare-ts/contracts";
import { entriesOf, listOf, madeFrom, mapOf, partOf } from "./document-parts.js";

const org = "nvidia";
const host = "localhost";
const serverPort = 8002;
/** FLARE counts up from here: one port for each node of the tree, the root included, and for each leaf. */
const firstPort = 9001;
const defaultMaxSites = 100;

/**
 * Replaces the participants of a project with an `edge` map by the tree that FLARE makes of it: a server, relays, a site
 * at each relay, and sites that serve devices at the last ones. The admins of the project stay.
 *
 * @throws FlareError `project/invalid` with the line of what is wrong in the map.
 */
export function expandEdge(project: DocumentTree, file: string): DocumentTree {
  const entries = entriesOf(project);
  const edge = entries?.get("edge");
  if (entries === undefined || edge === undefined || edge.value === null) return project;
  const { value: settings, problemAt } = checkDocument({ tree: edge, file, schema: edgeSchema, code: "project/invalid" });
  const sites = countSites(settings);
  const refuse = (key: string, message: string): FlareError =>
    new FlareError("project/invalid", `${file} has a mistake.`, { problems: [problemAt([key], message)], facts: { file } });
  if (settings.analyze === true) throw refuse("analyze", `analyze only counts: ${sites} sites; set it to false to make their kits`);
  const most = settings.max_sites ?? defaultMaxSites;
  if (sites > most) throw refuse("max_sites", `the tree has ${sites} sites, and max_sites is ${most}`);
  const list = entries.get("participants") ?? edge;
  const admins = (Array.isArray(list.value) ? list.value : [])
    .map((_, index) => partOf(list, index))
    .filter((item) => (item.value as { type?: unknown } | null)?.type === "admin");
  const made = treeOf(settings).map((participant) => madeFrom(participant, edge));
  return mapOf(new Map([...entries, ["participants", listOf([...made, ...admins], edge)]]), project);
}

/** Relays, sites and the server of a tree. */
function countSites({ depth, width, clients, lcp_only }: EdgeDocument): number {
  const relays = Array.from({ length: depth }, (_, level) => width ** (level + 1)).reduce((sum, count) => sum + count, 0);
  return 1 + relays * (lcp_only === true ? 1 : 2) + width ** depth * clients;
}

function treeOf(settings: EdgeDocument): object[] {
  const { depth, width, clients, lcp_only } = settings;
  let port = firstPort;
  const server = {
    name: "server",
    type: "server",
    org,
    fed_learn_port: serverPort,
    host_names: [host, "127.0.0.1"],
    default_host: host,
  };
  const below = (level: number, path: string): object[] => {
    if (level === depth) {
      return counted(clients).map((number) => {
        port += 1;
        const place = { connect_to: { name: `R${path}` }, listening_host: host, edge_service_port: port };
        return { name: `C${path}${number}`, type: "client", org, ...place, ...(lcp_only === true ? {} : { parent: `C${path}` }) };
      });
    }
    return counted(width).flatMap((number) => {
      port += 1;
      const child = `${path}${number}`;
      const listening = { default_host: host, port };
      const relay = {
        name: `R${child}`,
        type: "relay",
        org,
        listening_host: listening,
        ...(level === 0 ? {} : { connect_to: { name: `R${path}` } }),
      };
      const site = {
        name: `C${child}`,
        type: "client",
        org,
        connect_to: { name: `R${child}` },
        ...(level === 0 ? {} : { parent: `C${path}` }),
      };
      return [relay, ...(lcp_only === true ? [] : [site]), ...below(level + 1, child)];
    });
  };
  return [server, ...below(0, "")];
}

function counted(length: number): number[] {
  return Array.from({ length }, (_, index) => index + 1);
}
