import { describe, expect, it } from "vitest";
import { checkedGrant, checkedLink } from "./owner-word";

const GUEST = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const grant = (role = "runner", preset = "*") =>
  `Flowork grant, version 1\nEngine: e-1\nGuest: ${GUEST}\nRole: ${role}\nPreset: ${preset}\nEpoch: 3\n` +
  "Expires: 2027-01-01T00:00:00.000Z";
const TOKEN = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
const link = (level = "view", expires = "never") =>
  `Flowork share link, version 1\nEngine: e-1\nPreset: "B\\u00e4r"\nLevel: ${level}\nToken: ${TOKEN}\nEpoch: 1\n` +
  `Expires: ${expires}`;

describe("a grant that the gateway proposes", () => {
  const asked = { engine: "e-1", guest: GUEST.toLowerCase(), role: "runner" } as const;

  it("is signed where it says what was asked for", () => {
    expect(checkedGrant(grant(), asked)).toBe(grant());
  });

  it.each([
    grant("admin"),
    grant("runner", '"One"'),
    grant().replace("e-1", "e-2"),
    grant().replace("0xf3", "0xf4"),
    `${grant()}\nRole: admin`,
    "I give everything away",
  ])("is refused otherwise: %s", (text) =>
    expect(() => checkedGrant(text, asked)).toThrow(/Nothing was signed/),
  );
});

describe("a link that the gateway proposes", () => {
  const asked = { engine: "e-1", preset: "Bär", level: "view", token: "hello", expires: null } as const;

  it("is signed where it says what was asked for", () => {
    expect(checkedLink(link(), asked)).toBe(link());
    const ends = "2027-01-01T00:00:00.000Z";
    expect(checkedLink(link("view", ends), { ...asked, expires: "2027-01-01T00:00:00Z" })).toBe(
      link("view", ends),
    );
  });

  it.each([
    link("view-edit-run"),
    link("view", "2027-01-01T00:00:00.000Z"),
    link().replace("e-1", "e-2"),
    link().replace("00e4", "00e5"),
    link().replace("2cf2", "2cf3"),
  ])("is refused otherwise: %s", (text) =>
    expect(() => checkedLink(text, asked)).toThrow(/Nothing was signed/),
  );
});
