// Keeps the page's own files, so that it opens without the server. Nothing else goes through here: no data, no token.

const SHELL = "jarvis-shell";
const FILES = [
  "/", "/page/access.js", "/page/announcements.js", "/page/app.css", "/page/app.js", "/page/backups.js", "/page/dom.js",
  "/page/endpoint.js", "/page/house.js", "/page/icon-192.png", "/page/icon.svg",
  "/page/listening.js", "/page/manifest.webmanifest", "/page/microphone.js", "/page/plots.js", "/page/recent.js",
  "/page/server.js", "/page/speaker.js", "/page/talk.js", "/page/turn.js",
];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin || !FILES.includes(pathname)) return;
  event.respondWith(fresh(event.request, pathname));
});

// From the server, which mostly says "as you have it"; from here when it does not answer.
async function fresh(request, pathname) {
  const cache = await caches.open(SHELL);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(pathname, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(pathname);
    if (kept) return kept;
    throw error;
  }
}
