/** One signature of a browser wallet that lets a key of this page act for it for some hours (EIP-4361). */

import { checksumAddress } from "@/crypto/address";
import { randomHex, utf8 } from "@/crypto/bytes";
import { FloworkError } from "@/api/errors";
import { KeySigner, type Signer } from "./signer";

const LASTS_MS = 12 * 3_600_000;
const STATEMENT =
  "Let the session key listed below act for me on the listed engines, within the listed scopes.";
const SCOPES = ["admin", "read", "run"];

/** A wallet's word for a session key, as it goes with each message. */
export interface Delegation {
  message: string;
  signature: string;
}

/** The text that the wallet shows and signs; servers accept this spelling and no other. */
export function delegationText(
  wallet: string,
  session: string,
  page: { origin: string; nonce: string; now: number },
): string {
  const { host } = new URL(page.origin);
  const at = (ms: number) => new Date(ms).toISOString();
  return [
    `${host} wants you to sign in with your Ethereum account:`,
    checksumAddress(wallet),
    "",
    STATEMENT,
    "",
    `URI: ${page.origin}`,
    "Version: 1",
    "Chain ID: 1",
    `Nonce: ${page.nonce}`,
    `Issued At: ${at(page.now)}`,
    `Expiration Time: ${at(page.now + LASTS_MS)}`,
    "Resources:",
    `- urn:flowork:session:${session}`,
    "- urn:flowork:engine:*",
    ...SCOPES.map((scope) => `- urn:flowork:scope:${scope}`),
  ].join("\n");
}

/** A browser wallet that signed once: its session key signs what is asked all the time, it signs what lasts. */
export class DelegatedSigner implements Signer {
  readonly address: string;
  readonly asks = false;
  readonly delegation: Delegation;
  readonly ends: number;
  readonly #wallet: Signer;
  readonly #session: KeySigner;

  private constructor(wallet: Signer, session: KeySigner, delegation: Delegation, ends: number) {
    this.address = wallet.address;
    this.#wallet = wallet;
    this.#session = session;
    this.delegation = delegation;
    this.ends = ends;
  }

  /** Ask the wallet for its one signature; rejects when the person refuses. */
  static async open(wallet: Signer, origin = location.origin, now = Date.now()): Promise<DelegatedSigner> {
    const session = new KeySigner(crypto.getRandomValues(new Uint8Array(32)));
    const message = delegationText(wallet.address, session.address, { origin, nonce: randomHex(16), now });
    const signature = await wallet.sign(message);
    return new DelegatedSigner(wallet, session, { message, signature }, now + LASTS_MS);
  }

  async sign(text: string): Promise<string> {
    if (Date.now() >= this.ends) {
      throw new FloworkError(
        "STALE",
        "The wallet’s permission for this page has ended. Sign out, then sign in with the wallet again.",
      );
    }
    return this.#session.sign(text);
  }

  attest(text: string): Promise<string> {
    return this.#wallet.attest(text);
  }
}

/** The headers by which a request or a connect brings its delegation along. */
export function delegationHeaders(signer: Signer): Record<string, string> {
  const { delegation } = signer;
  if (!delegation) return {};
  const text = btoa(String.fromCharCode(...utf8(delegation.message)));
  return {
    "X-Delegation": text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, ""),
    "X-Delegation-Signature": delegation.signature,
  };
}
