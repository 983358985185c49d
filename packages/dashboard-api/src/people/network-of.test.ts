import { expect, it } from "vitest";
import { networkOf } from "./network-of.js";

it("an IPv6 line counts as one, whatever address of it is used; an IPv4 address counts by itself", () => {
  const found = ["2001:db8:0:1::1", "2001:db8:0:1:aaaa:bbbb:cccc:dddd", "2001:0db8::1:0:0:0:5", "::1", "fe80::1%eth0"].map(networkOf);
  expect(found).toEqual(["2001:db8:0:1::/64", "2001:db8:0:1::/64", "2001:db8:0:1::/64", "0:0:0:0::/64", "fe80:0:0:0::/64"]);
  expect(["192.0.2.1", "::ffff:192.0.2.1"].map(networkOf)).toEqual(["192.0.2.1", "192.0.2.1"]);
});
