/** Who signs: a key in this page, or a browser wallet. */

import { addressOfKey } from "@/crypto/address";
import { hexOf, utf8 } from "@/crypto/bytes";
import { canonicalSignature, signText } from "@/crypto/personal-sign";
import type { Delegation } from "./delegation";

export interface Signer {
  /** The wallet's address, in the capital letters of EIP-55. */
  readonly address: string;
  /** Whether each signature is asked of a person. */
  readonly asks: boolean;
  /** By what the wallet lets another key sign; where it is there, `sign` signs by that key. */
  readonly delegation?: Delegation;
  /** When that ends, in Unix ms. */
  readonly ends?: number;
  /** Sign a message of this page by EIP-191; rejects when the person refuses. */
  sign(text: string): Promise<string>;
  /** Sign a lasting word of the owner, such as a grant or a preset: always by the wallet itself. */
  attest(text: string): Promise<string>;
}

/** A key held in memory; it never leaves this object. */
export class KeySigner implements Signer {
  readonly address: string;
  readonly asks = false;
  readonly #key: Uint8Array;

  constructor(privateKey: Uint8Array) {
    this.#key = privateKey;
    this.address = addressOfKey(privateKey);
  }

  sign(text: string): Promise<string> {
    return Promise.resolve(signText(this.#key, text));
  }

  attest(text: string): Promise<string> {
    return this.sign(text);
  }

  /** The key itself, for its owner to keep. */
  exportKey(): string {
    return `0x${hexOf(this.#key)}`;
  }
}

/** What browser wallets offer (EIP-1193). */
export interface Provider {
  request(call: { method: string; params?: unknown[] }): Promise<unknown>;
}

/** A wallet of the browser: every signature is asked of the person. */
export class ProviderSigner implements Signer {
  readonly address: string;
  readonly asks = true;
  readonly #provider: Provider;

  constructor(provider: Provider, address: string) {
    this.#provider = provider;
    this.address = address;
  }

  async sign(text: string): Promise<string> {
    const params = [`0x${hexOf(utf8(text))}`, this.address];
    const signature = await this.#provider.request({ method: "personal_sign", params });
    return canonicalSignature(String(signature));
  }

  attest(text: string): Promise<string> {
    return this.sign(text);
  }
}
