import { Compass } from "lucide-react";
import { lazy, Suspense } from "react";
import { Link, Redirect, Route, Switch, useRoute } from "wouter";
import { Welcome } from "@/features/identity/welcome";
import { useT } from "@/i18n/words";
import { Empty } from "@/ui/badge";
import { Toasts } from "@/ui/toasts";
import { Loading } from "./need-engine";
import { useSession } from "./session";
import { Shell } from "./shell";

const Audit = lazy(() => import("@/features/audit/audit"));
const Billing = lazy(() => import("@/features/billing/billing"));
const Dashboard = lazy(() => import("@/features/dashboard/dashboard"));
const Engines = lazy(() => import("@/features/engines/engines"));
const Marketplace = lazy(() => import("@/features/marketplace/marketplace"));
const Presets = lazy(() => import("@/features/presets/presets"));
const Runs = lazy(() => import("@/features/runs/runs"));
const Settings = lazy(() => import("@/features/settings/settings"));
const Triggers = lazy(() => import("@/features/triggers/triggers"));
const Variables = lazy(() => import("@/features/variables/variables"));
const Designer = lazy(() => import("@/features/designer/designer"));
const RunView = lazy(() => import("@/features/run/run-view"));
const SharedPage = lazy(() => import("@/features/shared/shared-page"));

/** The page: the welcome until somebody has signed in, then the screens. */
export function App() {
  const signer = useSession((state) => state.signer);
  const [, shared] = useRoute("/shared/:token");
  return (
    <>
      {shared ? (
        <Suspense fallback={<Loading />}>
          <SharedPage token={shared.token} />
        </Suspense>
      ) : signer ? (
        <Shell>
          <Suspense fallback={<Loading />}>
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
          </Suspense>
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
