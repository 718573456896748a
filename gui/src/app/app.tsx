import { lazy, Suspense } from "react";
import { Redirect, Route, Switch } from "wouter";
import { Welcome } from "@/features/identity/welcome";
import { Toasts } from "@/ui/toasts";
import { useSession } from "./session";
import { Shell } from "./shell";

const Engines = lazy(() => import("@/features/engines/engines"));
const Designer = lazy(() => import("@/features/designer/designer"));
const RunView = lazy(() => import("@/features/run/run-view"));

/** The page: the welcome until somebody has signed in, then the screens. */
export function App() {
  const signer = useSession((state) => state.signer);
  return (
    <>
      {signer ? (
        <Shell>
          <Suspense fallback={<output className="spinner" aria-label="Loading" />}>
            <Switch>
              <Route path="/engines" component={Engines} />
              <Route path="/designer/:preset?" component={Designer} />
              <Route path="/runs/:jobId" component={RunView} />
              <Route>
                <Redirect to="/engines" />
              </Route>
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
