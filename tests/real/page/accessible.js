// What a person without sight, or without a mouse, would stumble over on the page as it is shown; a list of sentences.
// Names by the rules of accname 1.2 that apply here, contrast by WCAG 2.2 (1.4.3), sizes by 2.5.8.
(() => {
  const wrong = [];
  const shown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const clipped = (element) => Boolean(element.closest(".unseen"));
  const say = (element, what) =>
    wrong.push(`${element.tagName.toLowerCase()}${element.id ? `#${element.id}` : ""} "${(element.textContent || "").trim().slice(0, 40)}": ${what}`);

  const name = (element) => {
    const by = element.getAttribute("aria-labelledby");
    if (by) return by.split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim();
    return (element.getAttribute("aria-label") ?? (element.labels?.length ? [...element.labels].map((one) => one.textContent).join(" ") : null) ??
      element.getAttribute("alt") ?? element.textContent ?? "").trim();
  };
  for (const control of document.querySelectorAll("button, input, select, textarea, a[href], summary, [role=button], [tabindex='0'], nav, svg[role=img]")) {
    if (!shown(control)) continue;
    if (!name(control)) say(control, "has no name");
    const { width, height } = control.getBoundingClientRect();
    if (control.matches("button, select, nav a, input:not([type=checkbox])") && !control.matches(".skip") && (width < 24 || height < 24)) say(control, `is ${width} × ${height}`);
  }
  for (const image of document.images) if (image.getAttribute("alt") === null) say(image, "has no alt");
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  for (const id of new Set(ids.filter((one, at) => ids.indexOf(one) !== at))) wrong.push(`#${id} is there twice`);
  for (const element of document.querySelectorAll("[aria-labelledby], label[for]")) {
    const id = element.getAttribute("aria-labelledby") ?? element.htmlFor;
    if (!document.getElementById(id)) say(element, `points at #${id}, which is not there`);
  }
  const heads = [...document.querySelectorAll("h1")].filter(shown);
  if (heads.length !== 1) wrong.push(`there are ${heads.length} h1`);
  if (!document.documentElement.lang || !document.title) wrong.push("no language, or no title");
  if (document.querySelectorAll("main").length !== 1) wrong.push("no main, or two");
  for (const positive of document.querySelectorAll("[tabindex]")) if (positive.tabIndex > 0) say(positive, "is out of the order of focus");
  for (const whole of [document.documentElement, document.querySelector("main"), ...document.querySelectorAll("section, .log")]) {
    if (shown(whole) && whole.scrollWidth > whole.clientWidth + 1) say(whole, `is ${whole.scrollWidth} wide on ${whole.clientWidth}`);
  }

  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], ground) => [r, g, b].map((value, at) => value * a + ground[at] * (1 - a));
  const ground = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.push(rgba(getComputedStyle(one).backgroundColor));
    return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const bright = (colour) => {
    const [r, g, b] = colour.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !shown(element) || clipped(element) || element.closest("noscript, .skip, option, :disabled")) continue;
    const style = getComputedStyle(element);
    const below = ground(element);
    const ink = over(rgba(element.closest("svg") ? style.fill : style.color), below);
    const [light, dark] = [bright(ink), bright(below)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) say(element, `has a contrast of ${contrast.toFixed(2)}`);
  }
  return wrong;
})()
