import { describe, expect, it } from "vitest";
import { claimProof, readClaim } from "./claim";

describe("a claim link", () => {
  it("is read from the fragment", () => {
    expect(readClaim("#claim=abcDEF_-12&engine=engine-1")).toEqual({
      code: "abcDEF_-12",
      engineId: "engine-1",
    });
    expect(readClaim("")).toBeNull();
    expect(readClaim("#content")).toBeNull();
  });

  it.each(["#claim=abcdefgh", "#engine=e", "#claim=a'b%20cdefg&engine=e", "#claim=abcdefgh&engine=-x"])(
    "is damaged where a part is missing or none that a platform makes: %s",
    (fragment) => expect(readClaim(fragment)).toBe("damaged"),
  );

  it("gives a proof that does not hold the code", () => {
    const claim = { code: "abcdefgh", engineId: "engine-1" };
    const proof = claimProof(claim, "0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    expect(proof).toMatch(/^[0-9a-f]{64}$/);
    expect(proof).toBe(claimProof(claim, "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"));
    expect(proof).not.toBe(claimProof({ ...claim, engineId: "engine-2" }, `0x${"1".repeat(40)}`));
  });
});
