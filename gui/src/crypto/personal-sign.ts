/** EIP-191 signatures of texts, in the one spelling that servers accept: 65 bytes, low s, v 27 or 28. */

import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesOfHex, hexOf, utf8 } from "./bytes";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

function digestOf(text: string): Uint8Array {
  const body = utf8(text);
  const head = utf8(`\x19Ethereum Signed Message:\n${body.length}`);
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return keccak_256(whole);
}

export function signText(privateKey: Uint8Array, text: string): string {
  const made = secp256k1.sign(digestOf(text), privateKey, {
    prehash: false,
    lowS: true,
    format: "recovered",
  });
  const [recovery = 0, ...rest] = made;
  return `0x${hexOf(Uint8Array.from(rest))}${(27 + recovery).toString(16)}`;
}

/** Bring a wallet's signature into the accepted spelling; wallets differ in s and v. */
export function canonicalSignature(signature: string): string {
  const bytes = bytesOfHex(signature);
  if (bytes.length !== 65)
    throw new Error("The wallet gave a signature of another kind than an ordinary account's.");
  let s = BigInt(`0x${hexOf(bytes.slice(32, 64))}`);
  let v = bytes[64] ?? 0;
  if (v < 2) v += 27;
  if (s > ORDER / 2n) {
    s = ORDER - s;
    v = v === 27 ? 28 : 27;
  }
  return `0x${hexOf(bytes.slice(0, 32))}${s.toString(16).padStart(64, "0")}${v.toString(16)}`;
}
