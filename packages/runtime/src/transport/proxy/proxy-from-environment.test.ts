import { describe, expect, it } from "vitest";
import { proxyFromEnvironment } from "./proxy-from-environment.js";

const server = { host: "fl.example.org", port: 8002 };

describe("proxyFromEnvironment", () => {
  it.each(["grpc_proxy", "GRPC_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])("reads %s", (variable) => {
    expect(proxyFromEnvironment({ [variable]: "http://proxy.test:3128" }, server)).toEqual({
      host: "proxy.test",
      port: 3128,
      credentials: undefined,
      variable,
    });
  });

  it("takes the variable that is meant the most closely, lower case first, and passes over empty ones", () => {
    const of = (environment: Record<string, string>): string | undefined => proxyFromEnvironment(environment, server)?.host;
    const all = { grpc_proxy: "a", GRPC_PROXY: "b", https_proxy: "c", HTTPS_PROXY: "d", all_proxy: "e", ALL_PROXY: "f" };
    const order = Object.keys(all).map((_name, skipped) => of(Object.fromEntries(Object.entries(all).slice(skipped))));
    expect(order).toEqual(["a", "b", "c", "d", "e", "f"]);
    expect(of({ grpc_proxy: "", https_proxy: " ", ALL_PROXY: "f" })).toBe("f");
    expect(of({ http_proxy: "plain-web-pages.test" })).toBeUndefined();
  });

  it.each([
    ["http://proxy.test", 80, undefined],
    ["proxy.test:3128", 3128, undefined],
    ["HTTP://proxy.test:3128/", 3128, undefined],
    ["http://ann:s%40cr%3At@proxy.test:1", 1, "ann:s@cr:t"],
    ["http://ann@proxy.test:1", 1, "ann:"],
    ["ann:pw@proxy.test:1", 1, "ann:pw"],
    ["http://:token@proxy.test:1", 1, ":token"],
  ])("reads the URL %s", (url, port, credentials) => {
    expect(proxyFromEnvironment({ https_proxy: url }, server)).toMatchObject({ host: "proxy.test", port, credentials });
  });

  it("reads an address of version 6", () => {
    expect(proxyFromEnvironment({ https_proxy: "http://[fd00::1]:3128" }, server)).toMatchObject({ host: "fd00::1", port: 3128 });
  });

  it.each([
    ["http://", "transfer/proxy-invalid"],
    ["http://ann:hush@proxy.test:99999", "transfer/proxy-invalid"],
    ["http://ann:hush%@proxy.test", "transfer/proxy-invalid"],
    ["http://ann:hush@pro xy", "transfer/proxy-invalid"],
    ["https://ann:hush@proxy.test", "transfer/proxy-not-supported"],
    ["socks5h://ann:hush@proxy.test", "transfer/proxy-not-supported"],
  ])("refuses %s and shows no password", (url, code) => {
    let error: unknown;
    try {
      proxyFromEnvironment({ HTTPS_PROXY: url }, server);
    } catch (reason) {
      error = reason;
    }
    expect(error).toMatchObject({ code, message: expect.stringContaining("HTTPS_PROXY") });
    expect(`${JSON.stringify(error)}${String((error as Error).stack)}${String((error as Error).cause)}`).not.toContain("hush");
  });

  it("prefers no_grpc_proxy to no_proxy, and dials what is listed directly, whatever the variable holds", () => {
    const proxied = (rest: Record<string, string>): boolean =>
      proxyFromEnvironment({ https_proxy: "http://p:1", ...rest }, server) !== undefined;
    expect(proxied({ NO_PROXY: "example.org" })).toBe(false);
    expect(proxied({ no_proxy: "other.test", NO_PROXY: "example.org" })).toBe(true);
    expect(proxied({ no_grpc_proxy: "other.test", no_proxy: "example.org" })).toBe(true);
    expect(proxied({ NO_GRPC_PROXY: "example.org:8002" })).toBe(false);
    expect(proxied({ https_proxy: "socks5://p:1", no_proxy: "*" })).toBe(false);
  });

  it("leaves this machine alone unless it is asked not to", () => {
    const dial = (host: string, list: string): string | undefined =>
      proxyFromEnvironment({ https_proxy: "http://p:1", no_proxy: list }, { host, port: 1 })?.host;
    expect(dial("localhost", "")).toBeUndefined();
    expect(dial("127.0.0.1", "")).toBeUndefined();
    expect(dial("LOCALHOST", "other.test,<-loopback>")).toBe("p");
    expect(dial("localhost", "<-loopback>,localhost")).toBeUndefined();
  });
});
