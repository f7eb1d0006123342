"use strict";

// The tables of a page. Their first rows stand in the HTML; all of them come from the JSON block beside it, and get a
// search, choices, an order, pages and files of what is shown. What is chosen stands in the address.
//
// For scripts of pages: trackside.table(key) gives { rows(), filtered(), setRows(rows) } with rows as in the block,
// null where there is no such table.
(() => {
  const PAGE_SIZES = [20, 50, 100];
  const FEW_ROWS = 5;
  const site = window.trackside;
  if (site.table) {
    return;
  }
  const { address } = site;
  const { shown, valueOf, itemsOf, textOf, cellOf, element } = site.cells;
  const tables = new Map();
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  // ---- what is chosen

  function choicesOf(table, at) {
    const found = new Map();
    const kind = table.columns[at].kind;
    for (const row of table.rows) {
      for (const cell of [row[at], ...itemsOf(row[at])]) {
        const value = String(valueOf(cell) ?? "");
        if (value !== "" || !itemsOf(cell).length) {
          found.set(value, textOf(cell, kind) ?? (value === "" ? "unknown" : shown(value)));
        }
      }
    }
    return new Map([...found].sort(([a, x], [b, y]) => (a === "") - (b === "") || collator.compare(x, y)));
  }

  function isDay(text) {
    const day = /^\d{4}-\d\d-\d\d$/.test(text ?? "") ? new Date(text) : new Date(NaN);
    return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
  }

  function readState(table) {
    const asked = (name) => address.get(`${table.key}.${name}`);
    const order = asked("sort");
    const sorted = table.columns.find((column) => column.sortable && column.key === order?.replace(/^-/, ""));
    const size = Number(asked("size"));
    const page = Number(asked("page"));
    table.state = {
      q: table.search ? (asked("q") ?? "") : "",
      sort: sorted && order !== table.order ? order : "",
      size: table.sizes.includes(size) ? size : table.page_size,
      page: Number.isSafeInteger(page) && page > 1 ? page : 1,
      from: table.time >= 0 && isDay(asked("from")) ? asked("from") : "",
      to: table.time >= 0 && isDay(asked("to")) ? asked("to") : "",
      chosen: new Map(),
    };
    for (const [at, choices] of table.choices) {
      const value = asked(table.columns[at].key);
      if (choices.has(value)) {
        table.state.chosen.set(at, value);
      }
    }
  }

  function writeState(table, typing = "") {
    const { q, sort, size, page, from, to, chosen } = table.state;
    const told = { q: q || null, sort: sort || null, from: from || null, to: to || null };
    told.size = size === table.page_size ? null : size;
    told.page = page > 1 ? page : null;
    table.choices.forEach((_, at) => (told[table.columns[at].key] = chosen.get(at) ?? null));
    const named = Object.entries(told).map(([name, value]) => [`${table.key}.${name}`, value]);
    address.set(Object.fromEntries(named), typing && `${table.key}.${typing}`);
  }

  function change(table, changes, typing) {
    Object.assign(table.state, { page: 1 }, changes);
    show(table);
    writeState(table, typing);
  }

  // ---- rows

  function wordsOf(table, row) {
    if (!table.words.has(row)) {
      const parts = row.flatMap((cell, at) => {
        const kind = table.columns[at].kind;
        const texts = [cell, ...itemsOf(cell)].flatMap((one) => [textOf(one, kind), valueOf(one), one?.n ?? ""]);
        return kind === "markup" ? [] : texts;
      });
      table.words.set(row, parts.filter((part) => part !== null).join("\n").toLowerCase());
    }
    return table.words.get(row);
  }

  function isWanted(table, row, words) {
    const { from, to, chosen } = table.state;
    for (const [at, wanted] of chosen) {
      if (![row[at], ...itemsOf(row[at])].some((cell) => String(valueOf(cell) ?? "") === wanted)) {
        return false;
      }
    }
    if (from || to) {
      const day = String(valueOf(row[table.time]) ?? "").slice(0, 10);
      if (day === "" || (from && day < from) || (to && day > to)) {
        return false;
      }
    }
    return words.every((word) => wordsOf(table, row).includes(word));
  }

  function inOrder(table, rows) {
    const { sort } = table.state;
    if (!sort) {
      return rows;
    }
    const at = table.columns.findIndex((column) => column.key === sort.replace(/^-/, ""));
    const sign = sort.startsWith("-") ? -1 : 1;
    const { kind } = table.columns[at];
    const keyOf = (cell) => (kind === "state" ? textOf(cell, kind) : (valueOf(cell) ?? valueOf(itemsOf(cell)[0])));
    const keyed = rows.map((row) => [keyOf(row[at]), row]);
    const compare = (a, b) => (typeof a === "string" || typeof b === "string" ? collator.compare(a, b) : a - b);
    keyed.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b)));
    return keyed.map(([, row]) => row);
  }

  function filtered(table) {
    const words = table.state.q.toLowerCase().split(/\s+/).filter(Boolean);
    return inOrder(table, table.rows.filter((row) => isWanted(table, row, words)));
  }

  function show(table) {
    const { state, parts } = table;
    table.found = filtered(table);
    const pages = state.size ? Math.max(1, Math.ceil(table.found.length / state.size)) : 1;
    state.page = Math.min(state.page, pages);
    const first = state.size ? (state.page - 1) * state.size : 0;
    const rows = table.found.slice(first, state.size ? first + state.size : undefined);
    parts.body.replaceChildren(
      ...rows.map((row) => element("tr", table.drawn.map((at) => cellOf(row[at], table.columns[at].kind)))),
    );
    showControls(table, pages);
    const [found, all] = [table.found.length, table.rows.length].map((count) => count.toLocaleString("en"));
    const extent = pages > 1 ? `${(first + 1).toLocaleString("en")}–${(first + rows.length).toLocaleString("en")} of ` : "";
    const what = found === all ? `${all} row${all === "1" ? "" : "s"}` : `${found} of ${all} rows`;
    parts.count.textContent = `${extent}${what}`;
    parts.none.hidden = table.found.length > 0 || all === "0";
    parts.scroll.hidden = all === "0";
    parts.empty.hidden = all !== "0";
    parts.foot.hidden = all === "0";
  }

  function showControls(table, pages) {
    const { state, parts } = table;
    const isFew = table.rows.length <= FEW_ROWS;
    if (parts.find.value !== state.q) {
      parts.find.value = state.q;
    }
    parts.from.value = state.from;
    parts.to.value = state.to;
    parts.size.value = String(state.size);
    parts.selects.forEach((select, at) => {
      select.selectedIndex = 1 + [...table.choices.get(at).keys()].indexOf(state.chosen.get(at));
      select.parentElement.hidden = (isFew || table.choices.get(at).size < 2) && !state.chosen.has(at);
    });
    parts.find.parentElement.hidden = !table.search || (isFew && !state.q);
    parts.range.hidden = table.time < 0 || (isFew && !state.from && !state.to);
    parts.tools.hidden = [...parts.tools.children].every((child) => child.hidden);
    parts.pager.hidden = table.page_size === 0 || table.rows.length <= Math.min(...table.sizes);
    parts.place.textContent = `Page ${state.page} of ${pages}`;
    parts.back.setAttribute("aria-disabled", String(state.page <= 1));
    parts.next.setAttribute("aria-disabled", String(state.page >= pages));
    const order = state.sort || table.order;
    parts.heads.forEach((head, place) => {
      const { key } = table.columns[table.drawn[place]];
      const way = order === key ? "ascending" : order === `-${key}` ? "descending" : null;
      head.removeAttribute("aria-sort");
      if (way) {
        head.setAttribute("aria-sort", way);
      }
    });
  }

  // ---- files of what is shown

  function csvText(value) {
    const text = typeof value === "string" ? shown(value).replace(/^/, /^[=+\-@\t\r]/.test(value) ? "'" : "") : String(value ?? "");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function saved(table) {
    const kept = [...table.columns.keys()].filter((at) => table.columns[at].kind !== "markup");
    const values = table.found.map((row) =>
      kept.map((at) => {
        const all = [row[at], ...itemsOf(row[at])].map(valueOf).filter((value) => value !== null);
        return itemsOf(row[at]).length ? all : (all[0] ?? null);
      }),
    );
    return { columns: kept.map((at) => table.columns[at]), values };
  }

  function csv(table) {
    const { columns, values } = saved(table);
    const heads = columns.map(({ label, unit }) => (unit ? `${label} (${unit})` : label));
    const rows = values.map((row) => row.map((value) => (Array.isArray(value) ? value.join("; ") : value)));
    return [heads, ...rows].map((row) => `${row.map(csvText).join(",")}\r\n`).join("");
  }

  function json(table) {
    const { columns, values } = saved(table);
    const rows = values.map((row) => Object.fromEntries(row.map((value, at) => [columns[at].key, value])));
    return `${JSON.stringify(rows, null, 1)}\n`;
  }

  function save(text, type, name) {
    const url = URL.createObjectURL(new Blob([text], { type }));
    element("a", [], { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  // ---- what is made once for a table

  function button(text, act, attributes = {}) {
    const made = element("button", text, { type: "button", ...attributes });
    made.addEventListener("click", () => made.getAttribute("aria-disabled") !== "true" && act());
    return made;
  }

  function labelled(table, text, control) {
    control.id = `${table.key}-${(table.named += 1)}`;
    return element("span", [element("label", text, { for: control.id }), " ", control], { class: "field" });
  }

  function makeTools(table, caption) {
    const { parts } = table;
    parts.find = element("input", [], { type: "search", autocomplete: "off", spellcheck: "false" });
    parts.find.addEventListener("input", () => change(table, { q: parts.find.value }, "q"));
    const day = (name) => {
      const field = element("input", [], { type: "date" });
      field.addEventListener("change", () => change(table, { [name]: field.value }));
      return field;
    };
    [parts.from, parts.to] = [day("from"), day("to")];
    parts.range = element("span", [labelled(table, "From", parts.from), " ", labelled(table, "to (UTC)", parts.to)], { class: "range" });
    parts.selects = new Map();
    for (const at of table.choices.keys()) {
      const select = element("select");
      select.addEventListener("change", () => {
        const value = [...table.choices.get(at).keys()][select.selectedIndex - 1];
        table.state.chosen[value === undefined ? "delete" : "set"](at, value);
        change(table, {});
      });
      parts.selects.set(at, select);
    }
    const selects = [...parts.selects].map(([at, select]) => labelled(table, table.columns[at].label, select));
    parts.tools = element("div", [labelled(table, "Find", parts.find), ...selects, parts.range], {
      class: "tools",
      role: "group",
      "aria-label": `Filters: ${caption}`,
    });
  }

  function makeFoot(table, caption) {
    const { parts } = table;
    parts.count = element("span", [], { class: "count", role: "status" });
    parts.back = button("‹ Previous", () => change(table, { page: table.state.page - 1 }));
    parts.next = button("Next ›", () => change(table, { page: table.state.page + 1 }));
    parts.place = element("span", []);
    parts.size = element("select", table.sizes.map((size) => element("option", String(size), { value: size })));
    parts.size.addEventListener("change", () => change(table, { size: Number(parts.size.value) }));
    parts.pager = element("span", [parts.back, " ", parts.place, " ", parts.next, " ", labelled(table, "Rows a page", parts.size)], { class: "pager" });
    const files = [
      ["CSV", "CSV, as spreadsheets of any language read it", () => save(`\ufeff${csv(table)}`, "text/csv", `${table.key}.csv`)],
      ["JSON", "JSON", () => save(json(table), "application/json", `${table.key}.json`)],
    ].map(([text, title, act]) => button(text, act, { title: `Save these rows as ${title}`, "aria-label": `Save as ${text}: ${caption}` }));
    parts.none = element("p", ["No row is like that. ", button("Show all rows", () => clear(table))], { class: "none", hidden: "" });
    parts.foot = element("div", [parts.count, parts.pager, element("span", files, { class: "save" })], {
      class: "foot",
      role: "group",
      "aria-label": `Pages and files: ${caption}`,
    });
  }

  function clear(table) {
    table.state.chosen.clear();
    table.parts.find.value = "";
    change(table, { q: "", from: "", to: "" });
    (table.search ? table.parts.find : table.parts.scroll).focus();
  }

  function makeSorting(table) {
    table.parts.heads.forEach((head, place) => {
      const { key, kind, sortable } = table.columns[table.drawn[place]];
      if (!sortable) {
        return;
      }
      const first = kind === "number" || kind === "time" ? `-${key}` : key;
      const second = first === key ? `-${key}` : key;
      const made = button([...head.childNodes], () => {
        const now = table.state.sort || table.order;
        const next = now === first ? second : now === second && table.state.sort ? "" : first;
        change(table, { sort: next === table.order ? "" : next });
      });
      made.className = "sort";
      head.append(made);
    });
  }

  function fill(table) {
    table.words = new WeakMap();
    const chosen = [...table.columns.keys()].filter((at) => table.columns[at].choices && table.columns[at].kind !== "time");
    table.choices = new Map(chosen.map((at) => [at, choicesOf(table, at)]));
  }

  function fillSelects(table) {
    table.parts.selects.forEach((select, at) => {
      const texts = ["any", ...table.choices.get(at).values()];
      select.replaceChildren(...texts.map((text) => element("option", text)));
    });
  }

  function make(holder) {
    const block = document.getElementById(`${holder.dataset.table}-data`);
    const table = { ...JSON.parse(block.textContent), parts: {}, named: 0 };
    table.drawn = [...table.columns.keys()].filter((at) => table.columns[at].shown);
    table.sizes = [...new Set([...PAGE_SIZES, table.page_size])].filter(Boolean).sort((a, b) => a - b);
    table.time = table.columns.findIndex((column) => column.kind === "time" && column.choices);
    const { parts } = table;
    [parts.scroll, parts.empty, parts.body] = [".scroll", ".empty", "tbody"].map((one) => holder.querySelector(one));
    parts.heads = [...holder.querySelectorAll("thead th")];
    const caption = parts.scroll.getAttribute("aria-label");
    fill(table);
    makeTools(table, caption);
    makeFoot(table, caption);
    makeSorting(table);
    fillSelects(table);
    readState(table);
    parts.scroll.before(parts.tools);
    parts.scroll.after(parts.none, parts.foot);
    show(table);
    holder.dataset.live = "yes";
    tables.set(table.key, table);
  }

  function setRows(table, rows) {
    table.rows = rows;
    fill(table);
    fillSelects(table);
    readState(table);
    show(table);
  }

  site.table = (key) => {
    const table = tables.get(key);
    return table
      ? { rows: () => table.rows, filtered: () => table.found, setRows: (rows) => setRows(table, rows) }
      : null;
  };
  document.querySelectorAll("[data-table]").forEach(make);
  window.addEventListener("popstate", () => {
    tables.forEach((table) => {
      readState(table);
      show(table);
    });
  });
})();
