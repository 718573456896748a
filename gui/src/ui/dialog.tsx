import { X } from "lucide-react";
import { Dialog as Primitive } from "radix-ui";
import { type ReactNode, useRef } from "react";
import { useT } from "@/i18n/words";
import { Button } from "./button";

interface Props {
  open: boolean;
  onClose(): void;
  title: string;
  about?: string;
  /** Puts a button at the top that closes it, for a dialog that ends without one. */
  closable?: boolean;
  children: ReactNode;
}

/** A dialog over the page: Escape and a click beside it close it, the focus stays inside and returns. */
export function Dialog({ open, onClose, title, about, closable = false, children }: Props) {
  const before = useFocusBefore(open);
  return (
    <Primitive.Root open={open} onOpenChange={(shown) => !shown && onClose()}>
      <Primitive.Portal>
        <Primitive.Overlay className="dialog-shade" />
        <Primitive.Content
          className="dialog stack"
          onOpenAutoFocus={focusField}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            if (document.activeElement === document.body) before.current?.focus();
          }}
          {...(about ? {} : { "aria-describedby": undefined })}
        >
          <div className="dialog-head">
            <Primitive.Title asChild>
              <h2>{title}</h2>
            </Primitive.Title>
            {closable && <CloseButton onClose={onClose} />}
          </div>
          {about && <Primitive.Description className="field-hint">{about}</Primitive.Description>}
          {children}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

/** What had the focus when the dialog opened; its fields may take it as soon as they are there. */
function useFocusBefore(open: boolean) {
  const before = useRef<HTMLElement | null>(null);
  const wasOpen = useRef(false);
  if (open && !wasOpen.current) before.current = document.activeElement as HTMLElement | null;
  wasOpen.current = open;
  return before;
}

/** Puts the focus into the first field, which may come after the button that closes. */
function focusField(event: Event) {
  const field = (event.currentTarget as HTMLElement).querySelector<HTMLElement>("[role=combobox]");
  if (field) {
    event.preventDefault();
    field.focus();
  }
}

function CloseButton({ onClose }: { onClose(): void }) {
  const t = useT();
  return (
    <Button kind="quiet" size="icon" aria-label={t("common.close")} onClick={onClose}>
      <X size={18} aria-hidden="true" />
    </Button>
  );
}
