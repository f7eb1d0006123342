"use strict";

// The cells of tables, made of what the JSON block of a table says of them and written as templates write them.
// A cell is a value, or { v: value, t: text, u: link, n: note, k: tone, s: text in full, h: markup of ours, i: further cells }.
//
// For scripts of pages: trackside.cells has shown(text), a text from outside with its control characters shown;
// element(name, parts, attributes); valueOf, itemsOf and textOf(cell, kind); cellOf(cell, kind), which is the <td>.
(() => {
  const LONG = 48;
  const site = window.trackside;
  if (site.cells) {
    return;
  }
  const marks = new Map(Object.entries(JSON.parse(document.getElementById("marks").textContent)));

  const HOME = new URL(document.body.dataset.home).host;
  const FILE = /^(?!\/)[\w.~/@!$&'()*+,;=%-]*([?#][\w.~:/?#@!$&'()*+,;=%-]*)?$/;
  const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
  const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

  function shown(text) {
    return String(text).replace(HIDDEN, (character) => {
      const code = character.codePointAt(0).toString(16);
      const [letter, width] = code.length > 4 ? ["U", 8] : code.length > 2 ? ["u", 4] : ["x", 2];
      return SHORT[character] ?? `\\${letter}${code.padStart(width, "0")}`;
    });
  }

  function isCell(cell) {
    return cell !== null && typeof cell === "object";
  }

  function valueOf(cell) {
    return isCell(cell) ? (cell.v ?? null) : (cell ?? null);
  }

  function itemsOf(cell) {
    return isCell(cell) ? (cell.i ?? []) : [];
  }

  function textOf(cell, kind) {
    const value = valueOf(cell);
    if (isCell(cell) && cell.t !== undefined) {
      return cell.t === null ? null : shown(cell.t);
    }
    if (value === null) {
      return null;
    }
    if (typeof value === "boolean") {
      return value ? "yes" : "no";
    }
    if (typeof value === "number") {
      return value.toLocaleString("en", { maximumFractionDigits: 20 });
    }
    if (kind === "time") {
      return shown(value.slice(0, 16).replace("T", " "));
    }
    return shown(kind === "state" ? value.replaceAll("_", " ") : value);
  }

  // Links lead to files of the site or to the host of the repository, as they do where Python wrote them.
  function linkOf(cell) {
    const url = isCell(cell) ? cell.u : null;
    if (!url || FILE.test(url)) {
      return url || null;
    }
    const isHome = /^https?:/.test(url) && URL.canParse(url) && new URL(url).host === HOME;
    return isHome ? url : null;
  }

  function element(name, parts = [], attributes = {}) {
    const made = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.append(...[parts].flat());
    return made;
  }

  function told(cell, kind) {
    const value = valueOf(cell);
    const text = textOf(cell, kind) ?? (kind === "state" ? "unknown" : "–");
    const isTime = kind === "time" && value;
    const spoken = isCell(cell) && cell.s ? shown(cell.s) : null;
    const attributes = spoken === null ? {} : { role: "img", "aria-label": spoken, title: spoken };
    let part = isTime ? element("time", text, { datetime: shown(value) }) : element("bdi", text, attributes);
    const url = linkOf(cell);
    part = url ? element("a", part, { href: url, rel: "noopener" }) : part;
    if (kind !== "state") {
      return part;
    }
    const [tone, mark] = marks.get(String(value ?? "unknown").toLowerCase()) ?? ["quiet", "–"];
    const sign = element("span", mark, { "aria-hidden": "true" });
    return element("span", [sign, " ", part], { class: `state ${(isCell(cell) && cell.k) || tone}` });
  }

  function cellOf(cell, kind) {
    const tone = isCell(cell) && cell.k && kind !== "state" ? ` ${cell.k}` : "";
    const isLong = [textOf(cell, kind), isCell(cell) ? cell.n : null].some((text) => [...(text ?? "")].length > LONG);
    const made = element("td", [], { class: `${kind}${tone}${isLong ? " long" : ""}` });
    if (kind === "markup") {
      const drawn = document.createElement("template");
      drawn.innerHTML = (isCell(cell) && cell.h) || "–";
      made.append(drawn.content);
      return made;
    }
    const items = itemsOf(cell);
    if (textOf(cell, kind) !== null || valueOf(cell) !== null || !items.length) {
      made.append(told(cell, kind));
    }
    items.forEach((item) => made.append(" ", told(item, kind)));
    if (isCell(cell) && cell.n !== undefined) {
      made.append(element("small", element("bdi", shown(cell.n)), { class: "note" }));
    }
    return made;
  }

  site.cells = { shown, element, valueOf, itemsOf, textOf, cellOf };
})();
