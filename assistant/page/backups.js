// Backups: verdicts, the scorecard 3-2-1-1-0, what survives what, and how it went over time.

import { badge, el, table, text } from "./dom.js";
import { arrange, part, tone, worstFirst } from "./house.js";
import { ageBar, agePlot, shares, sizePlot } from "./plots.js";

const FIGURES = [["copies", "copies", "≥ 3"], ["media", "media", "≥ 2"], ["offsite", "off-site", "≥ 1"],
  ["offline_or_immutable", "offline or immutable", "≥ 1"], ["not_proven", "not proven", "0"]];
const FAILURES = { deleted_folder: "a deleted folder", dead_disk: "a dead disk", dead_nas: "a dead NAS", ransomware: "ransomware", fire: "a fire", lost_account: "a lost account" };

const list = (value) => (Array.isArray(value) ? value : []);

export async function backups(place) {
  const parts = [
    part("Verdicts", "/api/backups", verdicts),
    part("Scorecard: 3-2-1-1-0", "/api/scorecard", scorecard, { quiet: true }),
    part("Over time", "/api/backups/history", overTime, { quiet: true }),
  ];
  await arrange(place, "stack", parts);
}

function verdicts(outcome) {
  const jobs = worstFirst(list(outcome.result?.data?.jobs), ({ verdict }) => verdict);
  const counts = new Map();
  for (const { verdict } of jobs) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  return [
    shares([...counts].map(([name, count]) => ({ name: text(name, 40), count, tone: tone(name) })), "Verdicts"),
    el("ul", { class: "rows verdicts" }, jobs.map((job) => el("li", {},
      badge(text(job.verdict, 40), tone(job.verdict)),
      el("span", {}, el("strong", {}, text(job.job, 200)), el("span", { class: "soft small line" }, text(job.kind, 60))),
      el("span", {}, el("span", { class: "unseen" }, "last backup: "), ageBar(job.age_h, job.max_age_h)),
      el("span", { class: "why" }, text(why(job), 400))))),
  ];
}

function why({ cause, detail }) {
  const short = text(cause, 100).replaceAll("_", " ");
  const long = text(detail, 400).trim();
  return long && long.split(/\s+/).length < 4 ? `${short}: ${long}` : long || (short === "none" ? "" : short);
}

function scorecard(outcome) {
  const classes = list(outcome.classes);
  if (!classes.length) return null;
  const figure = (one, name) => {
    const met = Boolean(one.met?.[name]);
    return el("span", { class: `figure ${met ? "good" : "bad"}` }, `${text(one.figures?.[name], 10)} `,
      el("span", { "aria-hidden": "true" }, met ? "✓" : "✗"), el("span", { class: "unseen" }, met ? "met" : "not met"));
  };
  const keys = classes.some((one) => list(one.password_needed).length);
  const failures = Object.keys(classes[0].survivors ?? {});
  return [
    table("Copies of each class of data, against the rule", ["data", ...FIGURES.map(([, name, wanted]) => `${name} (${wanted})`)],
      classes.map((one) => [text(one.data_class, 200), ...FIGURES.map(([name]) => figure(one, name))])),
    el("h3", {}, "What survives"),
    table("Which copies are left after which misfortune", ["after", ...classes.map((one) => text(one.data_class, 100))],
      failures.map((failure) => [FAILURES[failure] ?? text(failure, 60).replaceAll("_", " "), ...classes.map((one) => survivors(one, failure))])),
    keys ? el("p", { class: "soft small" }, "* only with its password: keep that in another building, too.") : null,
  ];
}

function survivors(one, failure) {
  const left = list(one.survivors?.[failure]);
  if (!left.length) return el("span", { class: "bad" }, "nothing");
  return left.map((name) => text(name, 100) + (list(one.password_needed).includes(name) ? " *" : "")).join(", ");
}

function overTime(outcome) {
  const now = Date.now() / 1000;
  return el("div", { class: "plots" }, list(outcome.destinations).map((one) => {
    const name = text(one.destination ? `${one.job} on ${one.destination}` : one.job, 200);
    const copies = list(one.copies);
    const tests = list(one.tests);
    const last = tests.at(-1);
    return el("figure", {},
      el("figcaption", {}, el("strong", {}, name), el("span", { class: "soft small" }, ` ${copies.length} seen`,
        last ? `, last restore test ${last.ok ? "passed" : last.ran ? "failed" : "could not be made"}` : ", never restored")),
      agePlot(copies, Number(one.max_age_h), now, name) ?? el("p", { class: "soft" }, "No backup was ever seen there."), sizePlot(copies, name));
  }));
}

