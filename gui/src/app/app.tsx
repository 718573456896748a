import { Compass } from "lucide-react";
import { Link, Redirect, Route, Switch } from "wouter";
import { Welcome } from "@/features/identity/welcome";
import { useT } from "@/i18n/words";
import { Empty } from "@/ui/badge";
import { Toasts } from "@/ui/toasts";
import { screen } from "./screen";
import { useSession } from "./session";
import { Shell } from "./shell";

const Dashboard = screen(() => import("@/features/dashboard/dashboard"));
const Engines = screen(() => import("@/features/engines/engines"));
const Presets = screen(() => import("@/features/presets/presets"));
const Runs = screen(() => import("@/features/runs/runs"));
const Settings = screen(() => import("@/features/settings/settings"));
const Variables = screen(() => import("@/features/variables/variables"));
const Designer = screen(() => import("@/features/designer/designer"));
const RunView = screen(() => import("@/features/run/run-view"));

/** The page: the welcome until somebody has signed in, then the screens. */
export function App() {
  const signer = useSession((state) => state.signer);
  return (
    <>
      {signer ? (
        <Shell>
          <Switch>
            <Route path="/dashboard" component={Dashboard} />
            <Route path="/runs" component={Runs} />
            <Route path="/presets" component={Presets} />
            <Route path="/variables" component={Variables} />
            <Route path="/engines" component={Engines} />
            <Route path="/designer/:preset?" component={Designer} />
            <Route path="/runs/:jobId" component={RunView} />
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
