// Elements and words. Whatever came from the server becomes a text node: nothing here, or anywhere, reads markup.

const SVG = "http://www.w3.org/2000/svg";

export const find = (id) => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function put(place, ...children) {
  place.replaceChildren(...children.flat().filter(Boolean));
}

// A badge says its state in words; its colour only underlines them.
export function badge(text, tone) {
  return el("span", { class: `badge ${tone}` }, text);
}

export function table(caption, head, rows) {
  return el(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    el(
      "table",
      {},
      el("caption", { class: "unseen" }, caption),
      el("thead", {}, el("tr", {}, head.map((title) => el("th", { scope: "col" }, title)))),
      el("tbody", {}, rows.map(([first, ...rest]) =>
        el("tr", {}, el("th", { scope: "row" }, first), rest.map((cell) => el("td", {}, cell))))),
    ),
  );
}

export function card(title, ...children) {
  const id = `card-${title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
  return el("section", { class: "card", "aria-labelledby": id }, el("h2", { id, tabindex: -1 }, title), ...children);
}

export const text = (value, most = 2000) => {
  const words = value === null || value === undefined ? "" : String(value);
  return words.length > most ? `${words.slice(0, most)}…` : words;
};

const UNITS = [[86400 * 365, "year"], [86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];

export function span(seconds) {
  if (!Number.isFinite(seconds)) return "";
  const [size, name] = UNITS.find(([unit]) => Math.abs(seconds) >= unit * 0.995) ?? UNITS.at(-1);
  const count = Math.round(seconds / size);
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}

export function ago(seconds) {
  if (!Number.isFinite(seconds)) return "";
  return seconds < 5 ? "just now" : `${span(seconds)} ago`;
}

export const since = (iso) => (iso ? (Date.now() - Date.parse(iso)) / 1000 : NaN);

export const moment = (unix) =>
  Number.isFinite(unix)
    ? new Date(unix * 1000).toLocaleString([], { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })
    : "";

export function milliseconds(value) {
  if (!Number.isFinite(value)) return "";
  return value >= 1000 ? `${(value / 1000).toFixed(value >= 10000 ? 0 : 1)} s` : `${Math.round(value)} ms`;
}

export function bytes(count) {
  if (!Number.isFinite(count)) return "";
  let size = count;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (size < 1000) return `${size >= 10 || unit === "B" ? Math.round(size) : size.toFixed(1)} ${unit}`;
    size /= 1000;
  }
  return `${size >= 10 ? Math.round(size) : size.toFixed(1)} TB`;
}
