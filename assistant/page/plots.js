// Small plots as SVG, each with its figures in words. Colours come from the style sheet.

import { ago, bytes, el, span, svg } from "./dom.js";

const WIDTH = 320;
const HEIGHT = 120;
const LEFT = 52;
const RIGHT = 8;
const TOP = 10;
const BASE = HEIGHT - 22;
const HEADROOM = 1.1;

const day = (unix) => new Date(unix * 1000).toLocaleDateString([], { day: "numeric", month: "short" });

function plot(words, ...marks) {
  return svg("svg", { class: "plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words },
    svg("title", {}, words),
    svg("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: BASE, y2: BASE }), ...marks);
}

function placer(first, last, most) {
  return (at, value) => [
    LEFT + (last > first ? (at - first) / (last - first) : 0.5) * (WIDTH - LEFT - RIGHT),
    BASE - (value / (most || 1)) * (BASE - TOP),
  ];
}

const line = (points) => svg("polyline", { class: "line", points: points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ") });
const label = (y, words) => svg("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, words);

function days(first, last) {
  const [a, b] = [day(first), day(last)];
  return [
    svg("text", { x: LEFT, y: HEIGHT - 6 }, a),
    a === b ? null : svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, b),
  ];
}

// [{at (Unix s), size (bytes)}], oldest first.
export function sizePlot(copies, name) {
  const sized = copies.filter(({ at, size }) => Number.isFinite(at) && Number.isFinite(size));
  if (!sized.length) return null;
  const [first, last] = [sized[0].at, sized.at(-1).at];
  const largest = Math.max(...sized.map(({ size }) => size));
  const place = placer(first, last, largest * HEADROOM);
  const points = sized.map(({ at, size }) => place(at, size));
  const words = `Sizes of ${name}: ${sized.length} from ${day(first)} to ${day(last)}, the newest ${bytes(sized.at(-1).size)}`;
  return plot(words, line(points), points.map(([x, y]) => svg("circle", { class: "dot", cx: x, cy: y, r: 2.5 })),
    label(place(first, largest)[1], bytes(largest)), label(BASE, "0"), days(first, last));
}

// How old the newest backup was at each moment: a saw whose teeth end with a backup; the line across is "too old".
export function agePlot(copies, maxAgeHours, now, name) {
  const times = copies.map(({ at }) => at).filter(Number.isFinite);
  if (!times.length) return null;
  const end = Math.max(now, times.at(-1));
  const teeth = [[times[0], 0]];
  for (let at = 1; at < times.length; at += 1) teeth.push([times[at], times[at] - times[at - 1]], [times[at], 0]);
  teeth.push([end, end - times.at(-1)]);
  const limit = maxAgeHours * 3600;
  const place = placer(times[0], end, Math.max(limit, ...teeth.map(([, age]) => age)) * HEADROOM);
  const [, y] = place(end, limit);
  const words = `Age of ${name}: backed up ${ago(now - times.at(-1))}; too old after ${span(limit)}`;
  return plot(words, svg("line", { class: "limit", x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }),
    line(teeth.map(([at, age]) => place(at, age))), label(y, span(limit).replace(/ (\w)\w*$/, " $1")), label(BASE, "0"), days(times[0], end));
}

// The age of a backup against what is allowed: full is too old.
export function ageBar(hours, allowed) {
  const known = Number.isFinite(hours) && allowed > 0;
  const share = known ? Math.min(hours / allowed, 1) : 0;
  return el("span", { class: "age" },
    svg("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("rect", { class: "rail", x: 0, y: 0, width: 100, height: 8, rx: 2 }),
      svg("rect", { class: share >= 1 ? "bar late" : "bar", x: 0, y: 0, width: Math.max(share * 100, known ? 2 : 0), height: 8, rx: 2 })),
    known ? ago(hours * 3600) : "never");
}

// [{name, count, tone}]: one bar, its parts side by side.
export function shares(parts, what) {
  const shown = parts.filter(({ count }) => count > 0);
  const total = shown.reduce((sum, { count }) => sum + count, 0);
  if (!total) return null;
  const words = `${what}: ${shown.map(({ name, count }) => `${count} ${name}`).join(", ")}`;
  let from = 0;
  const rects = shown.map(({ count, tone }) => {
    const width = (count / total) * 100;
    const rect = svg("rect", { class: tone, x: from, y: 0, width: Math.max(width - 0.6, 0.4), height: 8 });
    from += width;
    return rect;
  });
  return svg("svg", { class: "shares", viewBox: "0 0 100 8", preserveAspectRatio: "none", role: "img", "aria-label": words }, svg("title", {}, words), rects);
}
