/** All that the billing screen shows, fetched together. */

import type { RestClient } from "@/api/rest";
import { type Live, useLoaded } from "@/app/live";
import { useSession } from "@/app/session";
import type { Credits, Invoice, Notice, Payment, Plans, Subscription, Usage } from "@/contract/contract.gen";

export interface Books {
  plans: Plans;
  subscription: Subscription;
  usage: Usage;
  payments: Payment[];
  credits: Credits;
  invoices: Invoice[];
  notices: Notice[];
}

async function fetchBooks(rest: RestClient): Promise<Books> {
  const [plans, subscription, usage, payments, credits, invoices, notices] = await Promise.all([
    rest.call("get_plans"),
    rest.call("get_subscription"),
    rest.call("get_usage", { query: { days: "30" } }),
    rest.call("list_payments"),
    rest.call("get_credits"),
    rest.call("list_invoices"),
    rest.call("list_notices"),
  ]);
  return { plans, subscription, usage, payments, credits, invoices, notices };
}

export function useBooks(): Live<Books> {
  const rest = useSession((state) => state.rest);
  return useLoaded(() => fetchBooks(rest), []);
}
