// The page: live health, commands to copy, and the claim helper.

import { claimCommand, readClaim, signClaim } from "/claim.js";

const HEALTH_EVERY_MS = 10_000;
const WAIT_MS = 12_000;

const element = (id) => document.getElementById(id);

for (const place of document.querySelectorAll("[data-origin]")) {
  place.textContent = location.origin + place.dataset.origin;
}

// Health

async function checkHealth() {
  try {
    const answer = await fetch("/api/v1/system/health", { signal: AbortSignal.timeout(5000), cache: "no-store" });
    if (answer.ok) showHealth("healthy", "Healthy");
    else showHealth("failing", "Not healthy: the database does not answer");
  } catch {
    showHealth("failing", "Not reachable");
  }
}

function showHealth(state, text) {
  const shown = element("health");
  if (shown.dataset.state === state && element("health-text").textContent === text) return; // said once, not every time
  shown.dataset.state = state;
  element("health-text").textContent = text;
}

checkHealth();
setInterval(() => document.visibilityState === "visible" && checkHealth(), HEALTH_EVERY_MS);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && checkHealth());

// Copying

for (const button of document.querySelectorAll("[data-copies]")) {
  button.addEventListener("click", async () => {
    const said = (await copy(element(button.dataset.copies))) ? "Copied" : "Press Ctrl+C";
    button.textContent = said;
    setTimeout(() => (button.textContent = "Copy"), 2500);
  });
}

async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(source); // pages without TLS have no clipboard; the keyboard does it then
    return false;
  }
}

// Claiming

let claim = null;

function showClaim() {
  claim = readClaim(location.hash);
  element("claim").hidden = claim === null;
  if (claim === null) return;
  element("claim-ways").hidden = element("claim-intro").hidden = Boolean(claim.damaged);
  if (claim.damaged) {
    tell("bad", "This claim link is damaged. Copy it again, whole, from where “flowork up” printed it.");
    return;
  }
  tell("", "");
  element("claim-engine").textContent = claim.engineId;
  for (const place of ["claim-command", "step-claim"]) {
    element(place).textContent = claimCommand(location.origin, claim);
  }
  element("claim-wallet").hidden = !(window.ethereum && crypto.subtle);
}

function tell(state, text) {
  element("claim-outcome").dataset.state = state;
  element("claim-outcome").textContent = text;
}

element("claim-sign").addEventListener("click", async ({ currentTarget: button }) => {
  button.disabled = true;
  tell("", "Waiting for the wallet…");
  try {
    const { path, options } = await signClaim(crypto, window.ethereum, claim, Date.now());
    const answer = await fetch(path, { ...options, signal: AbortSignal.timeout(WAIT_MS) });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error);
    history.replaceState(null, "", location.pathname); // the link is used up; it need not stay in the address bar
    element("claim-ways").hidden = element("claim-intro").hidden = true;
    element("claim-title").textContent = "Your engine";
    tell("good", `“${body.name}” is yours, ${body.owner}.`);
  } catch (problem) {
    tell("bad", `The engine was not claimed: ${problem.message ?? "the wallet refused"}`);
  } finally {
    button.disabled = false;
  }
});

addEventListener("hashchange", showClaim);
addEventListener("ethereum#initialized", showClaim, { once: true }); // wallets may arrive after the page
showClaim();
