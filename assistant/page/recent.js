// The newest turns: what was said, what came of it, and where the time went.

import { badge, el, milliseconds, moment, put, text } from "./dom.js";
import { get } from "./server.js";
import { timeline } from "./turn.js";

const NAMES = { transcript: "transcript", decision: "decided", tools: "tools", first_audio: "first sound", total: "all of it" };

export async function recent(place) {
  try {
    const { turns = [] } = await get("/api/turns?limit=50");
    put(place, turns.length ? el("ol", { class: "recent" }, turns.map(shown)) : el("p", { class: "soft" }, "Nothing was said yet."));
  } catch (error) {
    put(place, el("p", { class: "bad" }, text(error.message)), el("p", { class: "soft" }, text(error.mend)));
  }
}

function shown(turn) {
  const tools = (turn.tools ?? []).map(({ name, ok }) => `${text(name, 60)}${ok ? "" : " (not done)"}`).join(", ");
  const told = [moment(turn.at), text(turn.caller, 60), `by ${text(turn.door, 40)}`, tools].filter(Boolean).join(" · ");
  const rows = Object.entries(NAMES)
    .map(([name, label]) => ({ name: label, from: 0, to: Number(turn.timings_ms?.[name] ?? NaN) }))
    .filter(({ to }) => Number.isFinite(to));
  return el("li", { class: "card" },
    el("p", { class: "said" }, turn.transcript === null ? el("em", { class: "soft" }, "words are not kept") : text(turn.transcript)),
    turn.reply ? el("p", {}, text(turn.reply)) : null,
    el("p", { class: "soft small" }, told, " ", turn.error ? badge(text(turn.error, 80), "bad") : null),
    rows.length ? el("details", { class: "more" }, el("summary", {}, `Took ${milliseconds(turn.total_ms ?? NaN)}`), timeline(rows)) : null);
}
