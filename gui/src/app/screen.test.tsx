// @vitest-environment jsdom
import { act, cleanup, render, waitFor } from "@testing-library/react";
import { useEffect } from "react";
import { afterEach, expect, it } from "vitest";
import { Route, Switch } from "wouter";
import { navigate } from "wouter/use-browser-location";
import { screen } from "./screen";

afterEach(() => {
  cleanup();
  navigate("/");
});

it("is left for good, even while the next one is still being loaded", async () => {
  let visits = 0;
  const First = screen(() =>
    Promise.resolve({
      default: () => {
        useEffect(() => void visits++, []);
        return <p>first</p>;
      },
    }),
  );
  const Slow = screen(() => new Promise<never>(() => undefined));
  navigate("/first");
  const { getByText } = render(
    <Switch>
      <Route path="/first" component={First} />
      <Route path="/slow" component={Slow} />
    </Switch>,
  );
  await waitFor(() => expect(visits).toBe(1));
  act(() => navigate("/slow"));
  act(() => navigate("/first"));
  expect(getByText("first")).toBeDefined();
  expect(visits).toBe(2);
});
