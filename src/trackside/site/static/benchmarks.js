"use strict";

// The curves of chosen runs over one another. What is chosen stands in the address: curves.runs has the keys of the runs
// with - between them (none for no run), curves.quantity the key of the quantity; what is so without a choice is left out.
(() => {
  const { address, chart } = window.trackside;
  const block = document.getElementById("curve-data");
  const root = document.getElementById("curves");
  if (!block || !root || root.dataset.live) {
    return;
  }
  root.dataset.live = "yes";
  const RUNS = "curves.runs";
  const QUANTITY = "curves.quantity";
  const NONE = "none";
  const MINUTES_FROM_S = 600;
  const ROOM = 1.06;
  const FEW_POINTS = 4;
  const told = JSON.parse(block.textContent);
  const runs = new Map(told.runs.map((run) => [run.key, run]));
  const quantities = new Map(told.quantities.map((one) => [one.key, one]));
  const byDefault = told.runs.slice(0, told.first).map((run) => run.key);
  const form = root.querySelector("form.choice");
  const select = form.querySelector("select");
  const boxes = Array.from(form.querySelectorAll("input[type=checkbox]"));
  const rows = Array.from(root.querySelectorAll("tr[data-run]"));
  const cells = Array.from(root.querySelectorAll("[data-quantity]"));
  const heading = document.getElementById("curves-heading");
  const holder = root.querySelector(".plot");
  const nothing = root.querySelector(".nothing");
  const most = document.getElementById("most");
  const strokes = new Map(); // which colour each chosen run has, by its place among them

  function chosenRuns() {
    const asked = address.get(RUNS);
    if (asked === NONE) {
      return [];
    }
    const known = new Set((asked ?? "").split("-").filter((key) => runs.has(key)));
    const keys = known.size ? told.runs.map((run) => run.key).filter((key) => known.has(key)) : byDefault;
    return keys.slice(0, told.most);
  }

  function chosenQuantity() {
    return quantities.get(address.get(QUANTITY)) ?? quantities.get(told.quantity);
  }

  function choose(keys, quantity) {
    const isDefault = keys.length === byDefault.length && keys.every((key, at) => key === byDefault[at]);
    address.set({
      [RUNS]: isDefault ? null : keys.join("-") || NONE,
      [QUANTITY]: quantity === told.quantity ? null : quantity,
    });
  }

  function stroke(element, colour) {
    const line = element.querySelector(".stroke");
    if (colour) {
      line.style.setProperty("--series", colour);
    } else {
      line.style.removeProperty("--series");
    }
  }

  // A run has the colour of its place among all runs, where that is free, and keeps it as long as it is chosen.
  function giveColours(keys) {
    for (const key of strokes.keys()) {
      if (!keys.includes(key)) {
        strokes.delete(key);
      }
    }
    const taken = new Set(strokes.values());
    const places = told.colours.map((_, at) => at);
    for (const key of keys.filter((one) => !strokes.has(one))) {
      const own = told.runs.findIndex((run) => run.key === key) % told.most;
      const at = [own, ...places].find((place) => !taken.has(place));
      strokes.set(key, at);
      taken.add(at);
    }
  }

  function tell(keys, quantity) {
    giveColours(keys);
    const colours = new Map(keys.map((key) => [key, told.colours[strokes.get(key)]]));
    for (const box of boxes) {
      box.checked = colours.has(box.value);
      box.disabled = !box.checked && keys.length >= told.most;
      stroke(box.parentElement, colours.get(box.value));
    }
    for (const row of rows) {
      row.hidden = !colours.has(row.dataset.run);
      stroke(row, colours.get(row.dataset.run));
    }
    for (const cell of cells) {
      cell.classList.toggle("is-drawn", cell.dataset.quantity === quantity.key);
    }
    select.value = quantity.key;
    most.textContent = keys.length >= told.most ? `(${keys.length} chosen, the most)` : `(${keys.length} chosen)`;
    const unit = document.createElement("small");
    unit.textContent = quantity.unit;
    heading.replaceChildren(`${quantity.title} `, unit);
    const lacking = keys.filter((key) => !runs.get(key).curves[quantity.key]);
    nothing.hidden = keys.length > 0 && lacking.length === 0;
    nothing.textContent = keys.length
      ? `The lines of ${lacking.map((key) => runs.get(key).name).join(", ")} do not tell this quantity.`
      : "No run is chosen.";
    holder.setAttribute("aria-label", `${quantity.title} of ${keys.length} chosen runs over elapsed time; their medians are in the table below.`);
  }

  function lay(plot, keys, quantity) {
    const byStroke = new Map(keys.map((key) => [strokes.get(key), runs.get(key)]));
    const curves = told.colours.map((_, at) => byStroke.get(at)?.curves[quantity.key] ?? null);
    const longest = Math.max(1, ...curves.map((curve) => (curve ? curve.x[curve.x.length - 1] : 0)));
    const inMinutes = longest >= MINUTES_FROM_S;
    const unit = inMinutes ? 60 : 1;
    let [low, high] = [0, 0];
    const lines = plot.renderers.slice(0, told.most);
    const dots = plot.renderers.slice(told.most);
    lines.forEach((drawn, at) => {
      const curve = curves[at];
      drawn.visible = Boolean(curve);
      dots[at].visible = Boolean(curve) && curve.y.filter((value) => value !== null).length < FEW_POINTS;
      if (curve) {
        const x = Float64Array.from(curve.x, (seconds) => seconds / unit);
        const y = Float64Array.from(curve.y, (value) => value ?? NaN);
        for (const value of curve.y) {
          [low, high] = [Math.min(low, value ?? 0), Math.max(high, value ?? 0)];
        }
        drawn.data_source.data = { x, y };
        drawn.name = dots[at].name = byStroke.get(at).name;
      }
    });
    plot.x_range.setv({ start: 0, end: longest / unit, reset_start: 0, reset_end: longest / unit });
    const top = high > 0 ? high * ROOM : 1;
    plot.y_range.setv({ start: low * ROOM, end: top, reset_start: low * ROOM, reset_end: top });
    plot.below[0].axis_label = `${inMinutes ? "minutes" : "seconds"} since the run's first batch line`;
    plot.left[0].axis_label = quantity.unit;
    plot.left[0].formatter.format = quantity.unit.startsWith("tokens") ? "0,0.[00]a" : "0,0.[00]";
  }

  let last = "";
  function show() {
    const keys = chosenRuns();
    const quantity = chosenQuantity();
    const choice = `${quantity.key} ${keys.join("-")}`;
    if (choice === last) {
      return;
    }
    last = choice;
    tell(keys, quantity);
    chart("curves").then((plot) => {
      if (plot && choice === last) {
        lay(plot, keys, quantity);
        holder.dataset.shows = choice;
      }
    });
  }

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  select.addEventListener("change", () => choose(chosenRuns(), select.value));
  for (const box of boxes) {
    box.addEventListener("change", () => {
      const keys = new Set(chosenRuns());
      if (box.checked) {
        keys.add(box.value);
      } else {
        keys.delete(box.value);
      }
      choose(told.runs.map((run) => run.key).filter((key) => keys.has(key)), chosenQuantity().key);
    });
  }
  document.addEventListener("trackside:address", show);
  show();
})();
