// What runs in the house: alerts, services, machines, tasks. Each part comes, and fails, by itself.

import { ago, badge, card, el, milliseconds, moment, put, since, text } from "./dom.js";
import { shares } from "./plots.js";
import { get } from "./server.js";

const TONES = {
  up: "good", running: "good", ok: "good", down: "bad", failed: "bad", critical: "bad", crashed: "bad",
  degraded: "warn", flapping: "warn", warning: "warn", stale: "warn", unknown: "warn", paused: "warn", unverified: "warn",
};
export const tone = (state) => TONES[state] ?? "plain";

const ORDER = ["down", "failed", "critical", "flapping", "degraded", "warning", "unknown", "stale", "unverified", "notice", "maintenance"];
const rank = (state) => (ORDER.indexOf(state) + 1) || ORDER.length + 1;
export const worstFirst = (items, state) => [...items].sort((a, b) => rank(state(a)) - rank(state(b)));

// A part of a view: its card at once, then what came, or why nothing did.
// `quiet`: what it says in words stands in another part.
export function part(title, path, show, { quiet = false } = {}) {
  const inside = el("div", { "aria-busy": "true" }, el("p", { class: "soft" }, "Looking …"));
  const shown = card(title, inside);
  const done = (async () => {
    try {
      const outcome = await get(path);
      const failed = outcome.ok === false;
      put(inside, quiet && !failed ? null : el("p", { class: failed ? "soft" : "" }, text(outcome.spoken)), failed ? null : show(outcome));
    } catch (error) {
      put(inside, el("p", { class: "bad" }, text(error.message)), error.mend ? el("p", { class: "soft" }, text(error.mend)) : null);
    } finally {
      inside.removeAttribute("aria-busy");
    }
  })();
  return { shown, done };
}

const data = (outcome) => outcome.result?.data ?? {};
const list = (value) => (Array.isArray(value) ? value : []);

export async function house(place, { again }) {
  const parts = [
    part("Alerts", "/api/alerts", alerts),
    part("Services", "/api/services", services),
    part("Virtual machines", "/api/vms", machines),
    part("Tasks", "/api/tasks", (outcome) => tasks(outcome, again)),
  ];
  await arrange(place, "cards", parts);
}

// At once where there is nothing yet; else when all of it has come, and not under somebody's hands.
export async function arrange(place, kind, parts) {
  const all = el("div", { class: kind }, parts.map(({ shown }) => shown));
  const first = !place.hasChildNodes();
  if (first) put(place, all);
  await Promise.all(parts.map(({ done }) => done));
  if (first) return;
  const held = place.contains(document.activeElement) ? document.activeElement : null;
  if (held && !held.id) return;
  put(place, all);
  if (held) document.getElementById(held.id)?.focus({ preventScroll: true });
}

function alerts(outcome) {
  const { alerts: open, not_reached: missing } = data(outcome);
  const rows = worstFirst(list(open), ({ severity }) => severity);
  return [
    el("ul", { class: "rows" }, rows.map((one) => el("li", {},
      badge(text(one.severity, 40), tone(one.severity)), el("span", { class: "grow" }, el("strong", {}, text(one.subject, 200)), el("span", { class: "soft small line" }, text(one.said, 500))),
      el("span", { class: "soft small" }, Number.isFinite(one.age_s) ? ago(one.age_s) : "")))),
    list(missing).map(({ source, reason }) => el("p", { class: "soft small" }, `${text(source, 100)} could not be asked: ${text(reason, 300)}`)),
  ];
}

function services(outcome) {
  const { services: all, counts = {} } = data(outcome);
  const bar = shares(Object.entries(counts).map(([name, count]) => ({ name, count, tone: tone(name) })), "Services");
  return [bar, el("ul", { class: "rows" }, worstFirst(list(all), ({ state }) => state).map((one) => el("li", {},
    badge(text(one.state, 40), tone(one.state)),
    el("span", { class: "grow" }, el("strong", {}, text(one.name, 200)), one.reason ? el("span", { class: "soft small line" }, text(one.reason, 300)) : null),
    el("span", { class: "soft small number" }, Number.isFinite(one.latency_ms) ? milliseconds(one.latency_ms) : one.since ? `for ${ago(since(one.since)).replace(/ ago$/, "")}` : ""))))];
}

function machines(outcome) {
  return el("ul", { class: "rows" }, list(data(outcome).machines).map((one) => el("li", {},
    badge(text(one.state ?? "unknown", 40), tone(one.state ?? "unknown")),
    el("span", { class: "grow" }, el("strong", {}, text(one.name, 200))),
    el("span", { class: "soft small" }, text(list(one.hypervisor).join(", "), 100)))));
}

function tasks(outcome, again) {
  const { jobs, scheduled } = data(outcome);
  const row = (id, what, when, cancellable) => el("li", {},
    el("span", { class: "grow" }, el("strong", {}, text(what, 300)), el("span", { class: "soft small line" }, when)),
    cancellable ? el("button", { type: "button", class: "quiet", "aria-label": `Cancel ${text(what, 100)}`, click: (click) => cancel(click.target, id, again) }, "Cancel") : null);
  return el("ul", { class: "rows" },
    list(jobs).map((job) => row(job.job_id, `${text(job.tool, 60)} ${text(job.subject, 200)}`, [job.state, job.doing].map((word) => text(word, 100)).filter(Boolean).join(" · "), true)),
    list(scheduled).map((one) => row(one.id, one.what, one.next_at ? `${one.recurring ? "next " : ""}${moment(one.next_at)}` : "now", true)));
}

async function cancel(button, id, again) {
  button.disabled = true;
  const said = button.closest("li");
  try {
    const outcome = await get(`/api/tasks/${encodeURIComponent(id)}`, { method: "DELETE" });
    if (outcome.ok === false) throw new Error(outcome.spoken);
    document.dispatchEvent(new CustomEvent("jarvis-notice", { detail: outcome.spoken }));
    button.closest("section").querySelector("h2").focus();
    again();
  } catch (error) {
    button.disabled = false;
    said.append(el("span", { class: "bad small", role: "alert" }, text(error.message)));
  }
}

// Beside the conversation: one sentence of each.
export async function glance(place, signal) {
  const looks = [["Alerts", "/api/alerts", "#house"], ["Services", "/api/services", "#house"], ["Backups", "/api/backups", "#backups"], ["Tasks", "/api/tasks", "#house"]];
  const cards = await Promise.all(looks.map(async ([title, path, where]) => {
    try {
      const outcome = await get(path, { signal });
      if (outcome.error === "unavailable") return null;
      const counts = data(outcome).counts;
      const bar = title === "Services" && counts ? shares(Object.entries(counts).map(([name, count]) => ({ name, count, tone: tone(name) })), "Services") : null;
      return el("a", { class: "glance-card", href: where }, el("strong", {}, title), bar, el("span", {}, text(outcome.spoken, 400)));
    } catch (error) {
      if (signal?.aborted) throw error;
      return el("p", { class: "glance-card" }, el("strong", {}, title), el("span", { class: "soft" }, text(error.message)));
    }
  }));
  put(place, cards);
}
