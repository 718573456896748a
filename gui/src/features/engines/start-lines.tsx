import { useSession } from "@/app/session";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { CopyBlock } from "@/ui/copy";

/** The lines of an engine's .env file. */
export function envLines(engineId: string, token: string, owner: string, gateway: string): string {
  return [
    `FLOWORK_ENGINE_ID=${engineId}`,
    `FLOWORK_ENGINE_TOKEN=${token}`,
    `FLOWORK_OWNER_ADDRESS=${owner}`,
    `GATEWAY_URL=${gateway}`,
  ].join("\n");
}

const SHELL = "set -a; . ./engine.env; set +a\nflowork engine";
const DOCKER = [
  "docker run -d --name flowork-engine --restart unless-stopped \\",
  "  --env-file engine.env -e FLOWORK_DATA_DIR=/data -v flowork-data:/data \\",
  "  -p 127.0.0.1:8765:8765 -e ENGINE_SOCKET_HOST=0.0.0.0 \\",
  "  flowork flowork engine",
].join("\n");

/** How to start an engine with a fresh token, which is shown this once. */
export function StartLines({ engineId, token }: { engineId: string; token: string }) {
  const t = useT();
  const owner = useSession((state) => state.signer?.address ?? "");
  return (
    <div className="stack">
      <Notice tone="warn">{t("engines.tokenOnce")}</Notice>
      <CopyBlock label={t("engines.envFile")} text={envLines(engineId, token, owner, location.origin)} />
      <CopyBlock label={t("engines.startHere")} text={SHELL} />
      <CopyBlock label={t("engines.startDocker")} text={DOCKER} />
    </div>
  );
}
