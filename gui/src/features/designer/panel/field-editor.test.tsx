// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { FieldEditor } from "./field-editor";
import type { FieldSpec } from "./fields";

const field = (part: Partial<FieldSpec>): FieldSpec => ({
  id: "f",
  kind: "number",
  label: "Seconds",
  hint: "",
  required: false,
  initial: null,
  options: [],
  placeholder: "",
  rows: 1,
  language: "",
  secret: false,
  whole: false,
  min: undefined,
  max: undefined,
  ...part,
});
const shown = (part: Partial<FieldSpec>, value?: unknown) => {
  const change = vi.fn();
  const known = () => ({ paths: [] });
  render(<FieldEditor field={field(part)} value={value} problems={[]} known={known} onChange={change} />);
  return change;
};
afterEach(cleanup);

it("a = in a number field begins an expression", () => {
  const change = shown({ kind: "number" });
  fireEvent.change(screen.getByRole("textbox", { name: "Seconds" }), { target: { value: "=" } });
  expect(change).toHaveBeenLastCalledWith("{{  }}");
});

it("every other field has a switch to an expression, and back to its first value", () => {
  const change = shown({ kind: "toggle", initial: true }, "{{ data.on }}");
  const toggle = screen.getByRole("button", { name: "Use an expression for Seconds" });
  expect(toggle.getAttribute("aria-pressed")).toBe("true");
  fireEvent.click(toggle);
  expect(change).toHaveBeenLastCalledWith(true);
});

it("a field of the data is dropped into a setting as an expression", () => {
  const change = shown({ kind: "select", options: [{ label: "One", value: "1" }] }, "1");
  const drop = (text: string) =>
    fireEvent.drop(screen.getByRole("combobox"), { dataTransfer: { getData: () => text } });
  drop("{{ data.city }}");
  expect(change).toHaveBeenLastCalledWith("{{ data.city }}");
  drop("some other text");
  expect(change).toHaveBeenCalledOnce();
});
