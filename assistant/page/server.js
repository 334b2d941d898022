// Requests to the server that this page came from, and to no other. The token stays in this browser.

const KEY = "jarvis.token";
const LONGEST_MS = 30_000;
const BUSY_MS = 1_000;
const MOST_TRIES = 4;
const MOST_BLOCK = 8_000_000; // characters of one event: a sentence's speech as base64 is a tenth of it

// What the server said no with, or (status 0) that it did not answer.
export class Refusal extends Error {
  constructor(status, code, message, mend = "") {
    super(message);
    this.status = status;
    this.code = code;
    this.mend = mend;
  }
}

let kept = "";

export function token() {
  try {
    return localStorage.getItem(KEY) ?? kept;
  } catch {
    return kept; // no storage: the token lasts as long as the page
  }
}

export function keepToken(value) {
  kept = value;
  try {
    if (value) localStorage.setItem(KEY, value);
    else localStorage.removeItem(KEY);
  } catch {
    // kept above
  }
}

// A QR code ends in #token=…: taken, and gone from the address bar and the history before anything else happens.
export function takeTokenFromAddress() {
  const found = /^#token=([^&\s]{1,500})$/.exec(location.hash);
  if (!location.hash.startsWith("#token=")) return;
  history.replaceState(null, "", location.pathname);
  try {
    if (found) keepToken(decodeURIComponent(found[1]));
  } catch {
    // a broken escape is no token
  }
}

export function key() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function request(path, { method = "GET", json, body, headers = {}, signal } = {}) {
  const sent = new Headers({ "X-Jarvis-Door": "page", ...headers });
  if (token()) sent.set("Authorization", `Bearer ${token()}`);
  if (json !== undefined) sent.set("Content-Type", "application/json");
  let answer;
  try {
    answer = await fetch(path, {
      method, headers: sent, signal, body: json === undefined ? body : JSON.stringify(json),
      cache: "no-store", credentials: "same-origin", redirect: "error", referrerPolicy: "no-referrer",
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refusal(0, "unreachable", "Jarvis does not answer.", "Is the server on, and this device at home?");
  }
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

async function refusal(answer) {
  let said = {};
  try {
    said = (await answer.json()).error ?? {};
  } catch {
    // no JSON: a proxy in between
  }
  if (answer.status === 401) document.dispatchEvent(new CustomEvent("jarvis-token-wanted"));
  return new Refusal(answer.status, said.code ?? "refused", said.message ?? `HTTP ${answer.status}`, said.mend ?? "");
}

// The JSON of an answer; a server that has its hands full is asked again, a few times.
export async function get(path, options = {}) {
  const { signal = AbortSignal.timeout(LONGEST_MS), method = "GET" } = options;
  for (let tries = 1; ; tries += 1) {
    try {
      const answer = await request(path, { ...options, signal });
      return await answer.json();
    } catch (error) {
      const busy = error.code === "busy" && method === "GET" && tries < MOST_TRIES;
      if (!busy) throw error instanceof Refusal || error.name === "AbortError" ? error : cutOff(error);
    }
    await new Promise((later) => setTimeout(later, BUSY_MS * tries));
  }
}

function cutOff(error) {
  if (error.name === "TimeoutError") return new Refusal(0, "slow", "The server takes too long.", "Look again.");
  return new Refusal(0, "no_json", "The answer of the server is cut off.", "Look again.");
}

// Server-sent events as {event, data, id}; fetch, because EventSource can send no token.
export async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      waiting += value;
      if (waiting.length > MOST_BLOCK) throw new Refusal(0, "too_long", "The server sends more than fits.");
      const blocks = waiting.split("\n\n");
      waiting = blocks.pop();
      for (const block of blocks) {
        const one = parsed(block);
        if (one) yield one;
      }
    }
  } catch (error) {
    if (error instanceof Refusal || error.name === "AbortError") throw error;
    throw new Refusal(0, "broken_off", "The connection broke off.", "What was said may still be done: look at Turns.");
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parsed(block) {
  const one = { event: "message", data: "", id: "" };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(": ");
    const name = colon > 0 ? line.slice(0, colon) : "";
    if (name in one) one[name] = name === "data" ? one.data + line.slice(colon + 2) : line.slice(colon + 2);
  }
  if (!one.data) return null;
  try {
    one.data = JSON.parse(one.data);
  } catch {
    return null;
  }
  return one;
}
