// The page: who is signed in, which view is shown, and what is fetched for it.

import { Announcements } from "./announcements.js";
import { find, put, text } from "./dom.js";
import { get, keepToken, takeTokenFromAddress, token } from "./server.js";
import { Talk } from "./talk.js";

takeTokenFromAddress();

const LOOK_EVERY_MS = 30_000;
const LEAST_MS = 10_000; // between two looks that nobody asked for
const NOTICE_MS = 8_000;

const VIEWS = {
  talk: async (signal) => (await import("./house.js")).glance(find("glance"), signal),
  house: async () => (await import("./house.js")).house(find("house"), { again }),
  backups: async () => (await import("./backups.js")).backups(find("backups")),
  turns: async () => (await import("./recent.js")).recent(find("recent")),
  access: async () => (await import("./access.js")).access(find("access"), me, signedIn),
};

const talk = new Talk({ onTurn: () => performance.now() - looked > LEAST_MS && look() });
const announcements = new Announcements((one) => talk.announce(one));
let view = "";
let me = null;
let looking = null;
let looked = 0;

async function begin() {
  try {
    me = await get("/api/me");
  } catch (error) {
    if (error.status === 401) return signIn();
    if (error.status === 0) return away(error);
    return notice(`${error.message} ${error.mend}`);
  }
  find("notice").hidden = true;
  greet();
  find("views").hidden = false;
  announcements.start();
  talk.offerRooms().catch(() => {});
  route();
}

function greet() {
  find("who").textContent = text(me.name, 60) + (me.role === me.name ? "" : `, ${text(me.role, 60)}`);
  find("sign-out").hidden = !token();
  find("nav-access").hidden = !me.manages_tokens;
}

// With the first token, which this page has just made.
async function signedIn(token) {
  keepToken(token);
  Object.assign(me, await get("/api/me"));
  greet();
  announcements.start();
}

function signIn() {
  me = null;
  announcements.stop();
  talk.clear();
  find("views").hidden = true;
  find("sign-out").hidden = true;
  find("who").textContent = "";
  for (const id of ["glance", "house", "backups", "recent", "access"]) put(find(id));
  show("sign-in");
  if (token()) find("sign-in-error").textContent = "This token is not valid, or not any more.";
  keepToken("");
  find("token").focus();
}

function away(error) {
  notice(`${error.message} ${error.mend}`, true);
  if (!view) show("talk");
  setTimeout(begin, 5_000);
}

function route() {
  if (!me) return;
  const wanted = location.hash.slice(1);
  const known = wanted in VIEWS && !(wanted === "access" && !me.manages_tokens) ? wanted : "talk";
  const changed = known !== view && view !== "";
  show(known);
  if (changed) find(`h-${known}`).focus({ preventScroll: true });
  look();
}

function show(name) {
  view = name;
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== `view-${name}`;
  for (const link of find("views").children) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const title = find(`h-${name}`)?.textContent;
  document.title = name === "talk" || !title ? "Jarvis" : `${title} · Jarvis`;
}

// Fetch what the view shows; an older look that is still under way is given up.
async function look() {
  if (!me || !(view in VIEWS)) return;
  looking?.abort();
  looking = new AbortController();
  looked = performance.now();
  const { signal } = looking;
  if (view === "talk" && !wide.matches) return; // nothing to be seen beside it
  try {
    await VIEWS[view](signal);
  } catch (error) {
    if (!signal.aborted) notice(`${error.message} ${error.mend ?? ""}`);
  }
}

function again() {
  look();
}

let noticed = 0;
function notice(words, stays = false) {
  const place = find("notice");
  place.textContent = text(words);
  place.hidden = false;
  clearTimeout(noticed);
  if (!stays) noticed = setTimeout(() => (place.hidden = true), NOTICE_MS);
}

const wide = matchMedia("(min-width: 62rem)");
wide.addEventListener("change", () => look());
window.addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=")) {
    takeTokenFromAddress();
    begin();
  } else route();
});
document.addEventListener("jarvis-token-wanted", () => me && signIn());
document.addEventListener("jarvis-notice", ({ detail }) => notice(detail));
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && view !== "access" && look());
for (const button of document.querySelectorAll("[data-again]")) button.addEventListener("click", again);
document.querySelector(".skip").addEventListener("click", (click) => {
  click.preventDefault();
  find("main").focus();
});
find("sign-out").addEventListener("click", () => {
  keepToken("");
  signIn();
});
find("sign-in").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  find("sign-in-error").textContent = "";
  keepToken(find("token").value.trim());
  find("token").value = "";
  begin();
});
setInterval(() => {
  const editing = view === "access" || view === "turns" || find("main").querySelector("[role=alert]:not(:empty)");
  if (document.visibilityState === "visible" && !editing) look();
}, LOOK_EVERY_MS);

if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/page/service-worker.js", { scope: "/" }).catch(() => {}); // the page works without
}
begin();
performance.mark("jarvis-ready");
