// What a reader with weak eyes, or with none, would stumble over on a page; one sentence each.
() => {
  const faults = [];
  const told = (element) => `<${element.localName}> ${(element.textContent || element.name || "").trim().slice(0, 40)}`;
  const shown = (element) => element.checkVisibility({ visibilityProperty: true });
  const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const [r, g, b, opacity = 1] = parts(getComputedStyle(e).backgroundColor);
      if (opacity > 0.99) return [r, g, b];
    }
    return [255, 255, 255];
  };
  for (const element of document.querySelectorAll("body *")) {
    if (element.closest("svg, .unseen, .skip") || !shown(element)) continue;
    if (![...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(parts(style.color)), light(behind(element))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize), is_large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < (is_large ? 3 : 4.5)) faults.push(`contrast ${contrast.toFixed(2)}: ${told(element)}`);
  }
  for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (!field.labels?.length && !field.getAttribute("aria-label")) faults.push(`no label: ${field.name}`);
  for (const button of document.querySelectorAll("button, a[href], summary"))
    if (!button.textContent.trim() && !button.getAttribute("aria-label")) faults.push(`no words: ${button.outerHTML.slice(0, 80)}`);
  for (const picture of document.querySelectorAll("img")) if (!picture.hasAttribute("alt")) faults.push(`no alt: ${picture.src}`);
  for (const plot of document.querySelectorAll(".plot")) if (!plot.getAttribute("aria-label")) faults.push("a figure without words");
  if (document.querySelectorAll("h1").length !== 1) faults.push("not one first heading");
  if (!document.documentElement.lang || !document.title.trim()) faults.push("no language or title");
  if (document.documentElement.scrollWidth > innerWidth + 1) faults.push(`wider than the screen by ${document.documentElement.scrollWidth - innerWidth}`);
  const ids = [...document.querySelectorAll("[id]")].filter((e) => !e.closest(".plot")).map((e) => e.id);
  if (new Set(ids).size < ids.length) faults.push("an id twice");
  return faults;
}
