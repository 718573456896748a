// What a claim link says, and the signed request that uses it. No document and no network in here.

const CODE = /^[A-Za-z0-9_-]{8,128}$/;
const ENGINE_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

export const CLAIM_PATH = "/api/v1/user/engines/claim";

const bytes = (text) => new TextEncoder().encode(text);
const hex = (data) => Array.from(new Uint8Array(data), (byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * Read the fragment of the page's address. Returns null where it is no claim link, {damaged: true} where it is one
 * that no platform made. What does not have the exact shape is never shown as a command to copy into a shell.
 */
export function readClaim(fragment) {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ""));
  const code = parameters.get("claim");
  const engineId = parameters.get("engine");
  if (code === null && engineId === null) return null;
  if (!CODE.test(code ?? "") || !ENGINE_ID.test(engineId ?? "")) return { damaged: true };
  return { code, engineId };
}

export const claimCommand = (origin, claim) => `flowork claim '${origin}/#claim=${claim.code}&engine=${claim.engineId}'`;

/** The proof that the engine judges; the code itself stays in this page. */
export async function claimProof(subtle, claim, address) {
  const key = await subtle.importKey("raw", bytes(claim.code), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return hex(await subtle.sign("HMAC", key, bytes(`flowork_claim|${address.toLowerCase()}|${claim.engineId}`)));
}

/** The text a wallet signs; it covers method, path and body of this one request. */
export async function requestText(subtle, { address, method, path, body, nowMs, nonce }) {
  const digest = hex(await subtle.digest("SHA-256", bytes(body)));
  return `flowork_api|${address}|${method}|${path}|${nowMs}|${nonce}|${digest}`;
}

/** The one accepted spelling of a signature: 65 bytes, low s, v 27 or 28. Wallets differ in the last two. */
export function canonicalSignature(signature) {
  const found = /^0x([0-9a-fA-F]{64})([0-9a-fA-F]{64})([0-9a-fA-F]{2})$/.exec(signature);
  if (!found) throw new Error("The wallet gave a signature of another kind than an ordinary account's.");
  let s = BigInt(`0x${found[2]}`);
  let v = parseInt(found[3], 16);
  if (v < 2) v += 27;
  if (s > CURVE_ORDER / 2n) {
    s = CURVE_ORDER - s;
    v = v === 27 ? 28 : 27;
  }
  return `0x${found[1]}${s.toString(16).padStart(64, "0")}${v.toString(16)}`.toLowerCase();
}

/** Let a wallet (EIP-1193) sign the claim; returns the request as `fetch` takes it. */
export async function signClaim(crypto, wallet, claim, nowMs) {
  const [address] = await wallet.request({ method: "eth_requestAccounts" });
  if (!address) throw new Error("The wallet showed no account.");
  const body = JSON.stringify({ engine_id: claim.engineId, proof: await claimProof(crypto.subtle, claim, address) });
  const nonce = hex(crypto.getRandomValues(new Uint8Array(16)));
  const text = await requestText(crypto.subtle, { address, method: "POST", path: CLAIM_PATH, body, nowMs, nonce });
  const signature = await wallet.request({ method: "personal_sign", params: [`0x${hex(bytes(text))}`, address] });
  const headers = {
    "Content-Type": "application/json",
    "X-User-Address": address,
    "X-Signed-Message": text,
    "X-Signature": canonicalSignature(signature),
    "X-Payload-Version": "2",
  };
  return { path: CLAIM_PATH, options: { method: "POST", headers, body } };
}
