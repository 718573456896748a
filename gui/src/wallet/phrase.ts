/** Twelve words and the key they stand for (path m/44'/60'/0'/0/0, as wallets and the command line use it). */

import { HDKey } from "@scure/bip32";
import { generateMnemonic, mnemonicToSeedSync, validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { bytesOfHex } from "@/crypto/bytes";

const PATH = "m/44'/60'/0'/0/0";

export const newPhrase = (): string => generateMnemonic(wordlist, 128);
export const tidyPhrase = (words: string): string => words.trim().toLowerCase().split(/\s+/).join(" ");
export const isPhrase = (words: string): boolean => validateMnemonic(tidyPhrase(words), wordlist);

export function keyOfPhrase(words: string): Uint8Array {
  if (!isPhrase(words))
    throw new Error("These are not twelve words of a key: check the spelling and the order.");
  const key = HDKey.fromMasterSeed(mnemonicToSeedSync(tidyPhrase(words))).derive(PATH).privateKey;
  if (!key) throw new Error("These words give no key.");
  return key;
}

/** Read what people paste: twelve words, or a private key of 64 hexadecimal digits. */
export function keyOfInput(text: string): Uint8Array {
  const plain = text.trim();
  return /^(0x)?[0-9a-fA-F]{64}$/.test(plain) ? bytesOfHex(plain) : keyOfPhrase(plain);
}
