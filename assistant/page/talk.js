// The conversation: utterances go out typed or spoken, turns come back as events, and are shown and sounded as they come.

import { el, find, put, text } from "./dom.js";
import { Listening } from "./listening.js";
import { events, get, key, Refusal, request } from "./server.js";
import { Speaker } from "./speaker.js";
import { TurnShown } from "./turn.js";

const EXAMPLES = ["What’s down?", "Is the backup ok?", "What is running?", "Set a timer for ten minutes"];
const MOST_SHOWN = 100;
const NEAR_END_PX = 200;
const TRY_AGAIN_MS = 1_000;

const STATES = {
  opening: "Opening the microphone …",
  holding: "Listening. Let go to send.",
  pressed: "Listening. Stop speaking, or press again, to send.",
  "hands-free": "Hands-free: I’m listening for you.",
  hearing: "Hands-free: go on …",
};

export class Talk {
  #speaker = new Speaker();
  #listening = new Listening(this.#speaker);
  #conversation = `page-${key().slice(0, 16)}`;
  #current = null; // the turn whose speech is played: the newest
  #open = new Set();
  #trouble = "";

  constructor({ onTurn }) {
    this.onTurn = onTurn;
    this.#recall();
    this.#wire();
    put(find("chips"), EXAMPLES.map((words) => el("button", { type: "button", click: () => this.say(words) }, words)));
    this.#show();
  }

  // What is typed, or on a button.
  async say(words) {
    this.#speaker.unlock();
    await this.#turn(words, (again) => this.#post({ json: { text: words, conversation_id: this.#conversation, ...this.#room() } }, again));
  }

  async hear(clip) {
    const where = new URLSearchParams({ conversation_id: this.#conversation, ...this.#room() });
    const kind = { "Content-Type": clip.type || "application/octet-stream" };
    await this.#turn(null, (again) => this.#post({ body: clip, headers: kind, where }, again));
  }

  announce({ title, text: words, at }) {
    const when = new Date((Number.isFinite(at) ? at * 1000 : null) ?? Date.now()).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const said = [title, words].map((part) => text(part)).filter(Boolean).join(": ");
    this.#add(el("li", { class: "announcement" }, el("p", {}, el("span", { class: "soft small" }, `${when} · announcement `), el("span", {}, said))));
    find("said").textContent = said;
  }

  // Signed out: nothing of it stays on the screen.
  clear() {
    this.#speaker.stop();
    this.#listening.setHandsFree(false);
    this.#listening.cancel();
    this.#current = null;
    put(find("turns"));
    find("said").textContent = "";
    find("welcome").hidden = false;
    this.#conversation = `page-${key().slice(0, 16)}`;
  }

  async offerRooms() {
    const { rooms = [] } = await get("/api/rooms");
    put(find("room"), el("option", { value: "" }, "this page"), rooms.map((room) => el("option", { value: text(room) }, text(room))));
    find("room-choice").hidden = rooms.length === 0;
  }

  #room() {
    return find("room").value ? { room: find("room").value } : {};
  }

  async #post({ where = new URLSearchParams(), headers = {}, ...what }, idempotency) {
    if (find("aloud").checked && !find("room").value) where.set("audio", "1");
    const sent = { Accept: "text/event-stream", "Idempotency-Key": idempotency, ...headers };
    const once = () => request(`/command?${where}`, { method: "POST", headers: sent, ...what });
    try {
      return await once();
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 0) throw error;
      await new Promise((later) => setTimeout(later, TRY_AGAIN_MS));
      return once(); // the key makes it the same turn, if the first did arrive
    }
  }

  async #turn(words, post) {
    for (const earlier of this.#open) earlier.close();
    this.#open.clear();
    this.#speaker.stop();
    this.#trouble = "";
    find("said").textContent = "";
    const shown = new TurnShown(words, (said) => this.say(said));
    this.#current = shown;
    this.#open.add(shown);
    this.#add(shown.node);
    this.#show();
    const sent = performance.now();
    let firstSound = NaN;
    try {
      for await (const { event, data } of events(await post(key()))) {
        if (event === "audio_ready" && data.pcm && this.#current === shown && !shown.hushed) {
          if (Number.isNaN(firstSound)) firstSound = performance.now() - sent;
          this.#speaker.play(data.pcm, data.sample_rate_hz);
        }
        if (shown.take(event, data) || event === "tool_called") this.#show();
        this.#follow();
      }
      shown.settle(firstSound);
    } catch (error) {
      shown.failed(error.message, "", error.mend);
    } finally {
      shown.over = true;
      find("said").textContent = shown.reply; // at once: in pieces, a screen reader would read over itself
      this.#follow();
      this.#show();
      this.onTurn();
    }
  }

  #add(node) {
    find("welcome").hidden = true;
    const turns = find("turns");
    turns.append(node);
    while (turns.children.length > MOST_SHOWN) turns.firstElementChild.remove();
    find("log").scrollTop = find("log").scrollHeight;
  }

  // To the end, but not away from what somebody has scrolled up to.
  #follow() {
    const log = find("log");
    if (log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX) log.scrollTop = log.scrollHeight;
  }

  #hush() {
    if (this.#current) this.#current.hushed = true;
    this.#speaker.stop();
  }

  #show() {
    const { state } = this.#listening;
    const mic = find("mic");
    mic.dataset.state = state;
    mic.setAttribute("aria-pressed", String(state !== "idle"));
    find("hands-free").checked = this.#listening.handsFree;
    find("stop").hidden = !this.#speaker.playing;
    const waiting = this.#current && !this.#current.over && !this.#current.reply;
    const busy = waiting ? (this.#current.doing ? `Asking: ${this.#current.doing} …` : "Thinking …") : "";
    const line = STATES[state] ?? (this.#trouble || (this.#speaker.playing ? "Speaking …" : busy));
    if (find("state").textContent !== line) find("state").textContent = line;
    find("state").classList.toggle("bad", line !== "" && line === this.#trouble);
  }

  #recall() {
    const aloud = find("aloud");
    try {
      aloud.checked = localStorage.getItem("jarvis.aloud") !== "no";
    } catch {
      aloud.checked = true;
    }
    aloud.addEventListener("change", () => {
      if (!aloud.checked) this.#hush();
      try {
        localStorage.setItem("jarvis.aloud", aloud.checked ? "yes" : "no");
      } catch {
        // for as long as the page is open
      }
    });
  }

  #wire() {
    find("composer").addEventListener("submit", (submitted) => {
      submitted.preventDefault();
      const words = find("words").value.trim();
      if (!words) return;
      find("words").value = "";
      this.say(words);
    });
    find("stop").addEventListener("click", () => {
      this.#hush();
      find("words").focus();
    });
    find("hands-free").addEventListener("change", ({ target }) => {
      this.#trouble = "";
      this.#listening.setHandsFree(target.checked);
    });
    this.#speaker.addEventListener("change", () => this.#show());
    this.#listening.addEventListener("change", () => this.#show());
    this.#listening.addEventListener("level", ({ detail }) => find("mic").style.setProperty("--level", detail.toFixed(2)));
    this.#listening.addEventListener("began", () => this.#current && (this.#current.hushed = true));
    this.#listening.addEventListener("clip", ({ detail }) => this.hear(detail));
    this.#listening.addEventListener("trouble", ({ detail }) => {
      this.#trouble = `${detail.message} ${detail.mend}`;
      this.#show();
    });
    this.#wireHolding();
  }

  #press() {
    this.#trouble = "";
    if (this.#current) this.#current.hushed = true;
    this.#listening.press();
  }

  // The button by pointer or key, and the space bar anywhere but in a field.
  #wireHolding() {
    const mic = find("mic");
    mic.addEventListener("pointerdown", (down) => {
      if (down.button !== 0) return;
      mic.setPointerCapture(down.pointerId);
      this.#press();
    });
    for (const end of ["pointerup", "pointercancel"]) mic.addEventListener(end, () => this.#listening.release());
    mic.addEventListener("contextmenu", (menu) => menu.preventDefault());
    mic.addEventListener("click", (click) => {
      if (click.detail !== 0) return; // a pointer's; a screen reader's has no pointer
      this.#press();
      this.#listening.release();
    });
    const talks = ({ code, target, ctrlKey, metaKey, altKey }) =>
      code === "Space" && !find("view-talk").hidden && !(ctrlKey || metaKey || altKey) &&
      (target === mic || !target.closest("input, textarea, select, button, a, summary"));
    let held = false;
    document.addEventListener("keydown", (down) => {
      if (down.code === "Escape") {
        this.#hush();
        this.#listening.cancel();
      }
      if (!talks(down)) return;
      down.preventDefault();
      if (down.repeat || held) return;
      held = true;
      this.#press();
    });
    document.addEventListener("keyup", (up) => {
      if (up.code !== "Space" || !held) return;
      up.preventDefault();
      held = false;
      this.#listening.release();
    });
    window.addEventListener("blur", () => {
      held = false;
      this.#listening.release();
    });
  }
}
