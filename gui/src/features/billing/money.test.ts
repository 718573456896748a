import { describe, expect, it, vi } from "vitest";
import type { Quote } from "@/contract/contract.gen";
import { payBy, transactionOf, unitsText, WrongWallet } from "./money";

const QUOTE: Quote = {
  id: "q",
  plan: "pro",
  months: 1,
  payer: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
  recipient: "0x0000000000000000000000000000000000000001",
  amount: "15000042",
  asset: "USDC",
  decimals: 6,
  contract: "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
  chain_id: 137,
  credit_used: "0",
  reference: 42,
  status: "open",
  expires_at: "2027-01-01T00:00:00Z",
};

it.each([
  ["15000042", 6, "15.000042"],
  ["1500000", 6, "1.5"],
  ["0", 18, "0"],
  ["1", 18, "0.000000000000000001"],
  ["-2500000", 6, "-2.5"],
  ["7", 0, "7"],
  ["123456789012345678901234567890", 18, "123456789012.34567890123456789"],
])("%s with %i decimals is %s", (amount, decimals, text) => expect(unitsText(amount, decimals)).toBe(text));

describe("a payment", () => {
  it("of a coin is its value", () => {
    expect(transactionOf({ ...QUOTE, contract: null, amount: "1000000000000000042" })).toEqual({
      from: QUOTE.payer,
      to: QUOTE.recipient,
      value: "0xde0b6b3a764002a",
    });
  });

  it("of a token is its transfer", () => {
    const { to, value, data = "" } = transactionOf(QUOTE);
    expect([to, value]).toEqual([QUOTE.contract, "0x0"]);
    expect(data.slice(0, 10)).toBe("0xa9059cbb");
    expect(BigInt(`0x${data.slice(10, 74)}`)).toBe(1n);
    expect(BigInt(`0x${data.slice(74)}`)).toBe(15_000_042n);
    expect(data).toHaveLength(138);
  });

  const wallet = (account: string, chain: string) =>
    vi.fn(({ method }: { method: string; params?: unknown[] }) => {
      const answers: Record<string, unknown> = {
        eth_requestAccounts: [account],
        eth_chainId: chain,
        wallet_switchEthereumChain: null,
        eth_sendTransaction: "0xhash",
      };
      return Promise.resolve(answers[method]);
    });

  it("is made on the quote's chain by the wallet that signed in", async () => {
    const request = wallet(QUOTE.payer.toLowerCase(), "0x1");
    expect(await payBy({ request }, QUOTE)).toBe("0xhash");
    const calls = request.mock.calls.map(([call]) => call);
    expect(calls.map(({ method }) => method)).toEqual([
      "eth_requestAccounts",
      "eth_chainId",
      "wallet_switchEthereumChain",
      "eth_sendTransaction",
    ]);
    expect(calls[2]?.params).toEqual([{ chainId: "0x89" }]);
    expect(calls[3]?.params).toEqual([transactionOf(QUOTE)]);
  });

  it("is not made by another wallet: it would not count", async () => {
    const request = wallet("0x0000000000000000000000000000000000000002", "0x89");
    await expect(payBy({ request }, QUOTE)).rejects.toBeInstanceOf(WrongWallet);
    expect(request).toHaveBeenCalledTimes(1);
  });
});
