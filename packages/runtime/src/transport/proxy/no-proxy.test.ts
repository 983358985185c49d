import { describe, expect, it } from "vitest";
import { isOnNoProxyList } from "./no-proxy.js";

describe("a NO_PROXY list", () => {
  it.each([
    ["*", "fl.example.org"],
    ["example.org", "example.org"],
    ["example.org", "fl.example.org"],
    [".example.org", "example.org"],
    [".example.org", "fl.example.org"],
    ["*.example.org", "fl.example.org"],
    ["EXAMPLE.org", "FL.Example.ORG."],
    ["one.test, example.org", "fl.example.org"],
    ["one.test example.org", "fl.example.org"],
    ["fl.example.org:8002", "fl.example.org"],
    ["10.1.2.3", "10.1.2.3"],
    ["10.0.0.0/8", "10.1.2.3"],
    ["10.1.2.3:8002", "10.1.2.3"],
    ["0.0.0.0/0", "10.1.2.3"],
    ["fd00::/8", "fd12::1"],
    ["[fd12::1]:8002", "fd12:0:0::1"],
    ["fd12:0::1", "fd12::1"],
  ])("%j covers %s", (list, host) => {
    expect(isOnNoProxyList(list, { host, port: 8002 })).toBe(true);
  });

  it.each([
    ["", "fl.example.org"],
    [",. ,", "fl.example.org"],
    ["example.org", "notexample.org"],
    ["*.example.org", "example.org"],
    ["fl.example.org:443", "fl.example.org"],
    ["org.example", "example.org"],
    ["10.1.2", "10.1.2.3"],
    ["2.3", "10.1.2.3"],
    ["10.0.0.0/33", "10.1.2.3"],
    ["10.0.0.0/8/8", "10.1.2.3"],
    ["10.0.0.0/x", "10.1.2.3"],
    ["10.0.0.0/8", "11.1.2.3"],
    ["10.0.0.0/8", "fd00::1"],
    ["fd00::/8", "10.1.2.3"],
    ["<-loopback>", "fl.example.org"],
  ])("%j does not cover %s", (list, host) => {
    expect(isOnNoProxyList(list, { host, port: 8002 })).toBe(false);
  });
});
