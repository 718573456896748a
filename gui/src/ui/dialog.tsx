import { Dialog as Primitive } from "radix-ui";
import type { ReactNode } from "react";

interface Props {
  open: boolean;
  onClose(): void;
  title: string;
  about?: string;
  children: ReactNode;
}

/** A dialog over the page: Escape and a click beside it close it, the focus stays inside and returns. */
export function Dialog({ open, onClose, title, about, children }: Props) {
  return (
    <Primitive.Root open={open} onOpenChange={(shown) => !shown && onClose()}>
      <Primitive.Portal>
        <Primitive.Overlay className="dialog-shade" />
        <Primitive.Content className="dialog stack" {...(about ? {} : { "aria-describedby": undefined })}>
          <Primitive.Title asChild>
            <h2>{title}</h2>
          </Primitive.Title>
          {about && <Primitive.Description className="field-hint">{about}</Primitive.Description>}
          {children}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
