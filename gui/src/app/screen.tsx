import { type ComponentType, lazy, Suspense } from "react";
import { Loading } from "./need-engine";

/**
 * A screen that is loaded when it is first shown.
 *
 * Each has a waiting place of its own: with a common one React keeps the screen that is left, hidden, until the next is
 * loaded, and who comes back before that would see what the old one had known.
 */
export function screen<Props extends object>(
  load: () => Promise<{ default: ComponentType<Props> }>,
): ComponentType<Props> {
  const Loaded: ComponentType<Props> = lazy(load);
  return function Screen(props: Props) {
    return (
      <Suspense fallback={<Loading />}>
        <Loaded {...props} />
      </Suspense>
    );
  };
}
