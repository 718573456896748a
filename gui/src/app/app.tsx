import { lazy, Suspense } from "react";
import { Redirect, Route, Switch } from "wouter";
import { Welcome } from "@/features/identity/welcome";
import { Toasts } from "@/ui/toasts";
import { useSession } from "./session";
import { Shell } from "./shell";

const Engines = lazy(() => import("@/features/engines/engines"));

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
