// Tokens, for the owner: who has one, a new one (shown once, with its QR code), and taking one back.

import { badge, card, el, moment, put, text } from "./dom.js";
import { get } from "./server.js";

const ROLES = [["guest", "guest: looks, changes nothing"], ["member", "member: daily life"], ["owner", "owner: everything"]];
const TERMS = [["", "never"], ["12h", "in 12 hours"], ["30d", "in 30 days"], ["90d", "in 90 days"], ["1y", "in a year"]];

// `me`: who is signed in. The first token of all makes everybody need one, so that it has to be the owner's own.
export async function access(place, me, signedIn) {
  const made = el("div", { "aria-live": "polite" });
  const list = el("div", {}, el("p", { class: "soft" }, "Looking …"));
  put(place, el("div", { class: "stack" }, card("New token", form(made, me, async (token) => { if (token) await signedIn(token); show(list); }), made), card("Tokens", list)));
  await show(list);
}

function form(made, me, changed) {
  const first = !me.tokens_required;
  const error = el("p", { class: "bad", role: "alert" });
  const named = (name, label, field, hint) => {
    field.id = `new-${name}`;
    field.name = name;
    return el("p", { class: "field" }, el("label", { for: field.id }, label), field, hint ? el("small", { class: "soft" }, hint) : null);
  };
  const options = (pairs) => pairs.map(([value, words]) => el("option", { value }, words));
  const role = el("input", { type: "text", list: "roles", value: first ? "owner" : "member", required: true, maxlength: 40, autocomplete: "off" });
  const submit = async (submitted) => {
    submitted.preventDefault();
    const fields = new FormData(submitted.target);
    const json = { name: fields.get("name").trim(), role: fields.get("role").trim() };
    const only = fields.get("only").split(/[,\n]/).map((one) => one.trim()).filter(Boolean);
    if (only.length) json.only = only;
    if (fields.get("room").trim()) json.room = fields.get("room").trim();
    if (fields.get("expires")) json.expires = fields.get("expires");
    if (fields.get("url").trim()) json.url = fields.get("url").trim();
    error.textContent = "";
    if (first && !me.tokens_required && (json.role !== "owner" || json.only || json.room)) {
      error.textContent = "Make one for yourself first: role owner, no limits, no room. From then on everybody needs one.";
      return;
    }
    try {
      const created = await get("/api/tokens", { method: "POST", json });
      put(made, once(created));
      submitted.target.reset();
      await changed(me.tokens_required ? "" : created.token);
      made.querySelector("h3").focus();
    } catch (refused) {
      error.textContent = [refused.message, refused.mend].filter(Boolean).join(" ");
    }
  };
  return el("form", { class: "fields", submit },
    first ? el("p", {}, "Nobody needs a token yet. With the first one everybody does, so make your own first: this page signs in with it.") : null,
    named("name", "Name", el("input", { type: "text", required: true, maxlength: 40, autocomplete: "off", placeholder: "anna's phone" })),
    named("role", "Role", role, ROLES.map(([, words]) => words).join(" · ")),
    el("datalist", { id: "roles" }, options(ROLES)),
    named("only", "Only these (optional)", el("input", { type: "text", autocomplete: "off", placeholder: "vm:windows, area:kitchen" })),
    named("room", "Room (optional)", el("input", { type: "text", maxlength: 60, autocomplete: "off", placeholder: "kitchen" })),
    named("expires", "Expires", el("select", {}, options(TERMS))),
    named("url", "Address for the device", el("input", { type: "url", value: location.origin, maxlength: 300, autocomplete: "off" })),
    el("p", {}, el("button", { type: "submit", class: "main" }, "Create")), error);
}

function once({ name, token, link, qr_svg: code, doubts = [] }) {
  const picture = typeof code === "string" ? `data:image/svg+xml;charset=utf-8,${encodeURIComponent(code)}` : null;
  const copied = el("span", { class: "soft small", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(token);
      copied.textContent = "Copied.";
    } catch {
      copied.textContent = "It could not be copied: select it by hand.";
    }
  };
  return el("div", { class: "made" },
    el("h3", { tabindex: -1 }, `The token of ${text(name ?? "the device", 60)}`),
    el("p", {}, "It is shown this once. Scan the code with the device, or copy the token."),
    picture ? el("img", { class: "qr", src: picture, alt: `QR code that signs a device in at ${text(link, 300).replace(/#.*/, "")}`, width: 200, height: 200 }) : null,
    el("p", {}, el("code", { class: "secret" }, text(token, 500))),
    doubts.map((doubt) => el("p", { class: "soft" }, text(doubt, 500))),
    el("p", {}, el("button", { type: "button", click: copy }, "Copy the token"), " ", copied));
}

async function show(place) {
  try {
    const { tokens = [] } = await get("/api/tokens");
    put(place, tokens.length ? el("ul", { class: "rows" }, tokens.map((one) => row(one, place))) : el("p", { class: "soft" }, "There are none."));
  } catch (error) {
    put(place, el("p", { class: "bad" }, text(error.message)), el("p", { class: "soft" }, text(error.mend)));
  }
}

function row(one, place) {
  const name = text(one.name, 60);
  const state = text(one.state ?? "valid", 20);
  const told = [
    text(one.role, 40), one.only?.length ? `only ${one.only.map((grant) => text(grant, 60)).join(", ")}` : "", one.room ? `in the ${text(one.room, 60)}` : "",
    one.last_used ? `last used ${when(one.last_used)}` : "never used", one.expires ? `until ${when(one.expires)}` : "",
  ].filter(Boolean).join(" · ");
  const revoke = el("button", { type: "button", class: "quiet", "aria-label": `Revoke the token of ${name}` }, "Revoke");
  revoke.addEventListener("click", () => sure(revoke, name, place));
  return el("li", {}, badge(state, state === "valid" ? "good" : "plain"),
    el("span", { class: "grow" }, el("strong", {}, name), el("span", { class: "soft small line" }, told)), state === "revoked" || one.in_file ? null : revoke);
}

const when = (value) => moment(typeof value === "number" ? value : Date.parse(value) / 1000);

// Twice, so that no slip of a finger locks a device out.
function sure(button, name, place) {
  const error = el("span", { class: "bad small", role: "alert" });
  const yes = el("button", { type: "button", class: "danger", click: async () => {
    try {
      await get(`/api/tokens/${encodeURIComponent(name)}`, { method: "DELETE" });
      await show(place);
    } catch (refused) {
      error.textContent = refused.message;
    }
  } }, `Revoke ${name}`);
  const no = el("button", { type: "button", class: "quiet", click: () => { both.replaceWith(button); button.focus(); } }, "Keep");
  const both = el("span", { class: "sure" }, yes, " ", no, error);
  button.replaceWith(both);
  no.focus();
}
