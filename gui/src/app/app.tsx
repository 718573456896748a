import { Compass } from "lucide-react";
import { useEffect } from "react";
import { Link, Redirect, Route, Switch, useRoute } from "wouter";
import { Welcome } from "@/features/identity/welcome";
import { useT } from "@/i18n/words";
import { Empty } from "@/ui/badge";
import { Toasts } from "@/ui/toasts";
import { screen } from "./screen";
import { useSession } from "./session";
import { Shell } from "./shell";

const Audit = screen(() => import("@/features/audit/audit"));
const Billing = screen(() => import("@/features/billing/billing"));
const Dashboard = screen(() => import("@/features/dashboard/dashboard"));
const Engines = screen(() => import("@/features/engines/engines"));
const Marketplace = screen(() => import("@/features/marketplace/marketplace"));
const Presets = screen(() => import("@/features/presets/presets"));
const Runs = screen(() => import("@/features/runs/runs"));
const Settings = screen(() => import("@/features/settings/settings"));
const Triggers = screen(() => import("@/features/triggers/triggers"));
const Variables = screen(() => import("@/features/variables/variables"));
const designer = () => import("@/features/designer/designer");
const Designer = screen(designer);
const RunView = screen(() => import("@/features/run/run-view"));
const SharedPage = screen(() => import("@/features/shared/shared-page"));

/** The page: the welcome until somebody has signed in, then the screens. */
export function App() {
  const signer = useSession((state) => state.signer);
  const [, shared] = useRoute("/shared/:token");
  const [designs] = useRoute("/designer/:preset?");
  useEffect(() => {
    // the largest screen is on its way while a passphrase is typed; if that fails, it is asked for again
    if (designs && !signer) void designer().catch(() => undefined);
  }, [designs, signer]);
  return (
    <>
      {shared ? (
        <SharedPage token={shared.token} />
      ) : signer ? (
        <Shell>
          <Switch>
            <Route path="/dashboard" component={Dashboard} />
            <Route path="/runs" component={Runs} />
            <Route path="/marketplace" component={Marketplace} />
            <Route path="/presets" component={Presets} />
            <Route path="/triggers" component={Triggers} />
            <Route path="/variables" component={Variables} />
            <Route path="/engines" component={Engines} />
            <Route path="/designer/:preset?" component={Designer} />
            <Route path="/runs/:jobId" component={RunView} />
            <Route path="/billing" component={Billing} />
            <Route path="/audit" component={Audit} />
            <Route path="/settings" component={Settings} />
            <Route path="/" component={Home} />
            <Route component={Nowhere} />
          </Switch>
        </Shell>
      ) : (
        <Welcome />
      )}
      <Toasts />
    </>
  );
}

function Home() {
  const hasEngine = useSession((state) => state.engineId !== null);
  return <Redirect to={hasEngine ? "/dashboard" : "/engines"} replace />;
}

function Nowhere() {
  const t = useT();
  return (
    <div className="page">
      <Empty icon={<Compass size={32} aria-hidden="true" />} title={t("shell.nowhere")}>
        <p>{t("shell.nowhereText")}</p>
        <Link href="/" className="button">
          {t("shell.home")}
        </Link>
      </Empty>
    </div>
  );
}
