import { BlockList, isIP } from "node:net";

/** Where a connection is to lead. */
export interface ProxiedTarget {
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Whether a NO_PROXY list covers a target. Entries are parted by commas or blanks: `*` for everything; `example.org` and
 * `.example.org` for the name and all below it, `*.example.org` for all below it only; an address; a range such as `10.0.0.0/8`
 * or `fd00::/8`. A name or an address may end in `:port` (`[::1]:443`), and is then good for that port alone.
 */
export function isOnNoProxyList(list: string, target: ProxiedTarget): boolean {
  return entriesOf(list).some((entry) => covers(entry, target));
}

/** Whether the list asks for the proxy even where this machine itself is dialled, by the entry `<-loopback>`, as Chromium has it. */
export function asksForLoopback(list: string): boolean {
  return entriesOf(list).includes("<-loopback>");
}

function entriesOf(list: string): readonly string[] {
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .map((entry) => entry.toLowerCase());
}

function covers(entry: string, { host, port }: ProxiedTarget): boolean {
  if (entry === "*") return true;
  const { pattern, port: onlyPort } = splitPort(entry);
  if (onlyPort !== undefined && onlyPort !== port) return false;
  const name = host.toLowerCase().replace(/\.$/, "");
  if (isIP(name) !== 0) return coversAddress(pattern, name);
  const suffix = pattern.replace(/^\*?\./, "").replace(/\.$/, "");
  if (suffix === "") return false;
  return name.endsWith(`.${suffix}`) || (name === suffix && !pattern.startsWith("*"));
}

function coversAddress(pattern: string, address: string): boolean {
  const [network = "", length, ...more] = pattern.split("/");
  const family = isIP(network);
  if (family === 0 || family !== isIP(address) || more.length > 0) return false;
  const widest = family === 4 ? 32 : 128;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return false;
  const bits = length === undefined ? widest : Number(length);
  return bits <= widest && inRange(address, network, bits);
}

function inRange(address: string, network: string, bits: number): boolean {
  const family = isIP(network) === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(address, family);
}

function splitPort(entry: string): { readonly pattern: string; readonly port: number | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(entry);
  if (bracketed !== null) return { pattern: bracketed[1] ?? "", port: bracketed[2] === undefined ? undefined : Number(bracketed[2]) };
  const plain = /^([^:]*):(\d+)$/.exec(entry);
  return plain === null ? { pattern: entry, port: undefined } : { pattern: plain[1] ?? "", port: Number(plain[2]) };
}
