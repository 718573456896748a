/** Keeps a private key in this browser, encrypted under a passphrase: scrypt, then AES-256-GCM. Never in plain. */

import { gcm } from "@noble/ciphers/aes.js";
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { bytesOfHex, hexOf, randomHex, utf8 } from "@/crypto/bytes";

const PLACE = "flowork.keystore";
const COST = { N: 2 ** 16, r: 8, p: 1, dkLen: 32 } as const;

export interface StoredKey {
  version: 1;
  address: string;
  kdf: { name: "scrypt"; N: number; r: number; p: number; salt: string };
  cipher: { name: "aes-256-gcm"; nonce: string; text: string };
}

export class WrongPassphraseError extends Error {
  constructor() {
    super("The passphrase is wrong.");
  }
}

async function deriveKey(passphrase: string, kdf: StoredKey["kdf"]): Promise<Uint8Array> {
  const { N, r, p } = kdf;
  return scryptAsync(utf8(passphrase.normalize("NFKC")), bytesOfHex(kdf.salt), {
    N,
    r,
    p,
    dkLen: COST.dkLen,
  });
}

export async function encryptKey(key: Uint8Array, address: string, passphrase: string): Promise<StoredKey> {
  const kdf: StoredKey["kdf"] = { name: "scrypt", N: COST.N, r: COST.r, p: COST.p, salt: randomHex(32) };
  const nonce = randomHex(12);
  const secret = await deriveKey(passphrase, kdf);
  const text = hexOf(gcm(secret, bytesOfHex(nonce), utf8(address.toLowerCase())).encrypt(key));
  return { version: 1, address, kdf, cipher: { name: "aes-256-gcm", nonce, text } };
}

/** Return the private key; rejects with `WrongPassphraseError`. */
export async function decryptKey(stored: StoredKey, passphrase: string): Promise<Uint8Array> {
  const secret = await deriveKey(passphrase, stored.kdf);
  const box = gcm(secret, bytesOfHex(stored.cipher.nonce), utf8(stored.address.toLowerCase()));
  try {
    return box.decrypt(bytesOfHex(stored.cipher.text));
  } catch {
    throw new WrongPassphraseError();
  }
}

export function readStored(): StoredKey | null {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(PLACE) ?? "null");
    return isStored(found) ? found : null;
  } catch {
    return null;
  }
}

export const store = (stored: StoredKey): void => localStorage.setItem(PLACE, JSON.stringify(stored));
export const forget = (): void => localStorage.removeItem(PLACE);

function isStored(value: unknown): value is StoredKey {
  const given = value as Partial<StoredKey> | null;
  return given?.version === 1 && given.kdf?.name === "scrypt" && given.cipher?.name === "aes-256-gcm";
}
