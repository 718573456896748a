import { useReactFlow } from "@xyflow/react";
import { UserX } from "lucide-react";
import { useT } from "@/i18n/words";
import { type Person, useCompany } from "./company";
import { useName } from "./names";
import "./together.css";

const MOST = 4;

/** Who else has this preset open; a click on one goes to what that person has chosen. */
export function People() {
  const t = useT();
  const { people, more, apart } = useCompany();
  if (apart) return <Apart why={apart} />;
  if (people.length === 0) return null;
  const hidden = people.length - MOST + more;
  return (
    <ul className="plain-list people" aria-label={t("together.here")}>
      {people.slice(0, MOST).map((person) => (
        <Avatar key={person.id} person={person} />
      ))}
      {hidden > 0 && <li className="person">{t("together.more", { count: hidden })}</li>}
    </ul>
  );
}

/** Says quietly that one is by oneself here: presence is not worth a prompt of the wallet every few seconds. */
function Apart({ why }: { why: "asks" | "ended" }) {
  const t = useT();
  const about = t(why === "asks" ? "together.apartAsks" : "together.apartEnded");
  return (
    <span className="person-apart" role="note" aria-label={about} title={about}>
      <UserX size={16} aria-hidden="true" />
    </span>
  );
}

function Avatar({ person }: { person: Person }) {
  const t = useT();
  const flow = useReactFlow();
  const name = useName(person);
  const about = t(person.edits ? "together.edits" : "together.looks", { name });
  return (
    <li>
      <button
        type="button"
        className="person"
        data-person={person.color}
        aria-label={about}
        title={person.address ? `${about} ${person.address}` : about}
        onClick={() => {
          const nodes = person.selected.map((id) => ({ id }));
          if (nodes.length) void flow.fitView({ nodes, maxZoom: 1, padding: 0.4, duration: 200 });
        }}
      >
        {initialsOf(name)}
      </button>
    </li>
  );
}

/** Two signs to tell people apart by; of an address the first that differ. */
export function initialsOf(name: string): string {
  const words = name
    .replace(/^0x/, "")
    .split(/[\s._-]+/)
    .filter(Boolean);
  const signs =
    words.length > 1 ? words.slice(0, 2).map((word) => [...word][0]) : [...(words[0] ?? "?")].slice(0, 2);
  return signs.join("").toUpperCase();
}

/** A frame in their color around a step that somebody else has chosen. */
export function Others({ id }: { id: string }) {
  const people = useCompany((state) => state.byItem[id]);
  const [first] = people ?? [];
  if (!first || !people) return null;
  return (
    <span className="other-frame" data-person={first.color}>
      <span className="other-names">
        {people.slice(0, 3).map((person) => (
          <OtherName key={person.id} person={person} />
        ))}
      </span>
    </span>
  );
}

function OtherName({ person }: { person: Person }) {
  const t = useT();
  const name = useName(person);
  return (
    <span className="other-name" data-person={person.color}>
      <span className="visually-hidden">{t("together.chosenBy")} </span>
      {name}
    </span>
  );
}
