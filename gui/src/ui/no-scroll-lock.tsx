/**
 * Stands in for the scroll lock that the dialogs and menus of radix bring along.
 *
 * That one writes style elements into the page, which the content policy forbids. Ours needs none: the page itself does
 * not scroll, and what lies below a dialog is covered.
 */

import type { ElementType, ReactNode, Ref } from "react";

interface Props {
  as?: ElementType;
  children?: ReactNode;
  ref?: Ref<unknown>;
  [other: string]: unknown;
}

export function RemoveScroll({ as: Part = "div", allowPinchZoom, shards, enabled, ...rest }: Props) {
  return <Part {...rest} />;
}
