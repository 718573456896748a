/** Amounts in an asset's smallest unit, and the transaction that pays one. */

import type { Quote } from "@/contract/contract.gen";
import { sameAddress } from "@/crypto/address";
import type { Provider } from "@/wallet/signer";

/** Show base units as whole units: 1500000 with 6 decimals is 1.5. */
export function unitsText(amount: string, decimals: number): string {
  const negative = amount.startsWith("-");
  const digits = amount.replace("-", "").padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const part = decimals ? digits.slice(-decimals).replace(/0+$/, "") : "";
  return `${negative ? "-" : ""}${whole}${part ? `.${part}` : ""}`;
}

const TRANSFER = "a9059cbb"; // transfer(address,uint256)
const word = (hex: string): string => hex.toLowerCase().replace(/^0x/, "").padStart(64, "0");

/** The transaction that pays a quote: the coin itself, or a token's transfer. */
export function transactionOf(quote: Quote): { from: string; to: string; value: string; data?: string } {
  const amount = BigInt(quote.amount).toString(16);
  if (quote.contract === null) return { from: quote.payer, to: quote.recipient, value: `0x${amount}` };
  return {
    from: quote.payer,
    to: quote.contract,
    value: "0x0",
    data: `0x${TRANSFER}${word(quote.recipient)}${word(amount)}`,
  };
}

/** Why a wallet cannot pay a quote. */
export class WrongWallet extends Error {}

/** Have a browser wallet pay a quote; returns the transaction's hash. */
export async function payBy(provider: Provider, quote: Quote): Promise<string> {
  const accounts = await provider.request({ method: "eth_requestAccounts" });
  const known = Array.isArray(accounts) ? accounts.map(String) : [];
  if (!known.some((account) => sameAddress(account, quote.payer))) throw new WrongWallet();
  const chainId = `0x${quote.chain_id.toString(16)}`;
  if ((await provider.request({ method: "eth_chainId" })) !== chainId) {
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
  }
  return String(await provider.request({ method: "eth_sendTransaction", params: [transactionOf(quote)] }));
}
