// One turn in the conversation: what was said, the reply as it comes, its question with buttons, its timeline.

import { el, milliseconds, put, span, svg, text } from "./dom.js";

export class TurnShown {
  #events = [];
  #heard = el("p", { class: "mine" });
  #reply = el("div", { class: "reply" });
  #question = el("div", { class: "question", hidden: true });
  #more = el("details", { class: "more", hidden: true }, el("summary", {}, "How it was done"));
  #sentences = [];
  #expires = 0;

  doing = ""; // the tool that was called last, in words

  // `answer`: what a button of its question does with "yes" or "no".
  constructor(words, answer) {
    this.answer = answer;
    this.busy = el("span", { class: "busy", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
    this.#heard.textContent = words ?? "…";
    this.#heard.classList.toggle("waiting", words === null);
    put(this.#reply, this.busy);
    this.node = el("li", { class: "turn" },
      el("span", { class: "unseen" }, "You said: "), this.#heard,
      el("div", { class: "theirs" }, el("span", { class: "unseen" }, "Jarvis: "), this.#reply, this.#question, this.#more));
  }

  get reply() {
    return this.#sentences.join(" ");
  }

  // One event of the turn; whether it brought a sentence.
  take(kind, data) {
    this.#events.push({ ...data, kind, pcm: undefined });
    if (kind === "transcribed") this.#say(data.text);
    else if (kind === "reply_sentence") return this.#sentence(data.text);
    else if (kind === "tool_called") this.doing = text(data.tool, 60).replaceAll("_", " ");
    else if (kind === "confirmation_asked") this.#ask(data);
    else if (kind === "turn_failed") this.failed(data.spoken, data.detail === data.spoken ? "" : data.detail, data.mend);
    return false;
  }

  failed(message, detail = "", mend = "") {
    const why = [this.#sentences.length ? message : "", detail, mend].filter(Boolean).join(" ");
    if (!this.#sentences.length) this.#sentence(message);
    if (why) this.#reply.append(el("p", { class: "soft small" }, text(why)));
    this.#reply.classList.add("failed");
    this.settle();
  }

  // Nothing more comes. `firstSound`: ms from the end of the utterance to the first sound here.
  settle(firstSound = NaN) {
    this.busy.remove();
    this.#heard.classList.remove("waiting");
    if (this.#heard.textContent === "…") this.#heard.textContent = "(nothing was understood)";
    const rows = stages(this.#events);
    if (Number.isFinite(firstSound)) rows.splice(-1, 0, { name: "first sound here", from: 0, to: firstSound });
    if (rows.length && this.#more.hidden) {
      this.#more.hidden = false;
      this.#more.append(timeline(rows));
    }
  }

  // Another utterance has come: what was asked before is not answered by it any more.
  close() {
    if (!this.#expires) return;
    clearInterval(this.#expires);
    this.#expires = 0;
    for (const button of this.#question.querySelectorAll("button")) button.disabled = true;
    this.#question.querySelector(".left").textContent = "";
  }

  #say(words) {
    this.#heard.textContent = text(words);
    this.#heard.classList.remove("waiting");
  }

  #sentence(words) {
    this.#sentences.push(text(words, 4000));
    this.#reply.insertBefore(el("span", {}, `${text(words, 4000)} `), this.busy.parentNode ? this.busy : null);
    return true;
  }

  #ask({ expires_s: seconds }) {
    const until = performance.now() + Math.max(0, seconds) * 1000;
    const left = el("span", { class: "left soft small" });
    const choose = (said) => () => {
      this.close();
      this.answer(said);
    };
    put(this.#question,
      el("button", { type: "button", class: "main", click: choose("yes") }, "Yes"),
      el("button", { type: "button", click: choose("no") }, "No"), left);
    this.#question.setAttribute("role", "group");
    this.#question.setAttribute("aria-label", "Answer");
    this.#question.hidden = false;
    const tick = () => {
      const rest = Math.ceil((until - performance.now()) / 1000);
      left.textContent = rest > 0 ? `${span(rest)} left` : "";
      if (rest > 0) return;
      this.close();
      left.textContent = "This question is no longer open. Ask again.";
      this.#question.classList.add("expired");
    };
    this.#expires = setInterval(tick, 500);
    tick();
  }
}

// The stages of a turn as {name, from, to, note}, milliseconds since it began.
export function stages(events) {
  const rows = [];
  let heard = 0;
  let thinking = null;
  let written = null;
  for (const event of events) {
    const { kind, at_ms: at = 0, took_ms: took = 0 } = event;
    const done = (name, note = "", from = at - took) => rows.push({ name, from: Math.max(0, from), to: at, note });
    if (kind === "model_delta") thinking ??= at;
    else if (thinking !== null) {
      rows.push({ name: "model", from: heard, to: thinking, note: "to its first word" });
      thinking = null;
    }
    if (kind === "speech_ended") done("listened", event.reason === "silence" ? "ended by silence" : "", 0);
    else if (kind === "transcribed" && event.engine !== "typed") done("transcript", text(event.engine, 60));
    else if (kind === "sentence_matched") done("understood", "a known sentence");
    else if (kind === "narrowed") done("narrowed", event.decided ? "beyond doubt" : "for the model");
    else if (kind === "fell_back") done("fell back", text(event.code, 60));
    else if (kind === "tool_returned") done(text(event.tool, 60), event.ok ? "" : "failed");
    else if (kind === "phrased") done("phrased", event.spoken ? "" : "not used");
    else if (kind === "reply_sentence") written ??= at;
    else if (kind === "audio_ready" && event.first) done("speech", "to its first sound", written ?? at);
    else if (kind === "turn_finished" || kind === "turn_failed") done("all of it", "", 0);
    if (kind === "transcribed" || kind === "tool_returned") heard = at;
  }
  return rows;
}

export function timeline(rows) {
  const most = Math.max(1, ...rows.map((row) => row.to));
  return el("table", { class: "timeline" },
    el("caption", { class: "unseen" }, "Stages of the turn and what each took"),
    el("thead", { class: "unseen" }, el("tr", {}, ["stage", "when", "took"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows.map(({ name, from, to, note }) => el("tr", {},
      el("th", { scope: "row" }, name, note ? el("small", {}, ` ${note}`) : null),
      el("td", {}, svg("svg", { viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
        svg("rect", { class: "rail", x: 0, y: 0, width: 100, height: 6 }),
        svg("rect", { class: "bar", x: (from / most) * 100, y: 0, width: Math.max(((to - from) / most) * 100, 0.8), height: 6 }))),
      el("td", { class: "number" }, milliseconds(to - from))))));
}

