import { ThumbsDown, ThumbsUp, Trash2 } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { FloworkError } from "@/api/errors";
import { useSession } from "@/app/session";
import { useTimes } from "@/app/times";
import type { MarketItem } from "@/contract/contract.gen";
import { sameAddress, shortAddress } from "@/crypto/address";
import { signPreset } from "@/crypto/preset";
import { freeName } from "@/features/presets/examples";
import { useT } from "@/i18n/words";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { tell, tellError } from "@/ui/toasts";
import { workflowOf } from "./market";

/** One published workflow: who made it, what people think of it; take it over, or take it back. */
export function ItemCard({ item, onChanged }: { item: MarketItem; onChanged(): void }) {
  const t = useT();
  const times = useTimes();
  const { rest, engine, signer } = useSession();
  const [, go] = useLocation();
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const own = signer !== null && sameAddress(item.author, signer.address);

  async function act(action: () => Promise<void>) {
    setBusy(true);
    try {
      await action();
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  }
  const take = () =>
    act(async () => {
      if (!engine || !signer) throw new FloworkError("ENGINE_UNAVAILABLE", t("engine.offText"));
      const { data } = await rest.call("get_item", { path: { item_id: item.id } });
      const workflow = workflowOf(data);
      const { presets } = await engine.request("request_presets_list", {});
      const name = freeName(
        item.name,
        presets.map((preset) => preset.name),
      );
      const signature = await signPreset(signer, workflow);
      await engine.request("save_preset", { name, workflow_data: workflow, signature });
      tell(t("presets.taken", { name }), "good");
      go(`/designer/${encodeURIComponent(name)}`);
    });
  const vote = (voteType: 1 | -1) =>
    act(async () => {
      await rest.call("vote", { body: { itemId: item.id, voteType } });
      onChanged();
    });

  return (
    <li className="card preset-card">
      <div className="preset-head">
        <h2 className="grow market-name">{item.name}</h2>
        {own && (
          <Button
            kind="quiet"
            size="icon"
            aria-label={t("market.deleteNamed", { name: item.name })}
            onClick={() => setAsking(true)}
          >
            <Trash2 size={16} aria-hidden="true" />
          </Button>
        )}
      </div>
      {item.desc && <p className="market-about">{item.desc}</p>}
      <p className="muted">
        {t("market.by", { name: item.author_name ?? shortAddress(item.author) })} ·{" "}
        {times.ago(Date.parse(item.published_at))} <Badge>v{item.version}</Badge>
      </p>
      <div className="preset-foot">
        <Button
          kind="quiet"
          size="small"
          disabled={busy}
          aria-label={t("market.like", { name: item.name, count: item.likes })}
          onClick={() => void vote(1)}
        >
          <ThumbsUp size={14} aria-hidden="true" />
          {item.likes}
        </Button>
        <Button
          kind="quiet"
          size="small"
          disabled={busy}
          aria-label={t("market.dislike", { name: item.name, count: item.dislikes })}
          onClick={() => void vote(-1)}
        >
          <ThumbsDown size={14} aria-hidden="true" />
          {item.dislikes}
        </Button>
        <span className="grow" />
        <Button
          size="small"
          disabled={busy || !engine}
          aria-label={t("market.takeNamed", { name: item.name })}
          onClick={() => void take()}
        >
          {t("presets.take")}
        </Button>
      </div>
      <Confirm
        open={asking}
        title={t("market.deleteTitle", { name: item.name })}
        action={t("market.delete")}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          await rest.call("delete_item", { body: { id: item.id } });
          onChanged();
        }}
      >
        <p>{t("market.deleteText")}</p>
      </Confirm>
    </li>
  );
}
