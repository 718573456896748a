/** Ethereum addresses. */

import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { hexOf, utf8 } from "./bytes";

/** Return an address with the capital letters of EIP-55. */
export function checksumAddress(address: string): string {
  const plain = address.toLowerCase().replace(/^0x/, "");
  const digest = hexOf(keccak_256(utf8(plain)));
  const letters = Array.from(plain, (letter, place) =>
    Number.parseInt(digest.charAt(place), 16) > 7 ? letter.toUpperCase() : letter,
  );
  return `0x${letters.join("")}`;
}

export function addressOfKey(privateKey: Uint8Array): string {
  const point = secp256k1.getPublicKey(privateKey, false).slice(1);
  return checksumAddress(hexOf(keccak_256(point).slice(-20)));
}

export const isAddress = (text: string): boolean => /^0x[0-9a-fA-F]{40}$/.test(text);
export const sameAddress = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
export const shortAddress = (address: string): string => `${address.slice(0, 6)}…${address.slice(-4)}`;
