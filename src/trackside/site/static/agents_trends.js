"use strict";

// p50 and p90 of a workflow or a step over time. Window, workflow and step stand in the address (trend.range, …).
(() => {
  const site = (window.trackside ??= {});
  const holder = document.getElementById("agents-trend");
  if (!holder || holder.dataset.live) {
    return;
  }
  holder.dataset.live = "yes";
  const data = JSON.parse(document.getElementById("agents-trends").textContent);
  const { fixed, counted } = site.agentNumbers;
  const HOUR_MS = 3_600_000;
  const DAY_MS = 24 * HOUR_MS;
  const RANGES = { "24h": 1, "7d": 7, "30d": 30, "90d": 90 };
  const USUAL = "30d";
  const SVG = "http://www.w3.org/2000/svg";
  const [HEIGHT, LEFT, RIGHT, BOTTOM, TOP] = [220, 64, 16, 24, 12];
  const LEAST_WIDTH = 320;
  const until = Date.parse(document.getElementById("agents-updated").dateTime);

  const workflows = [...new Set(data.series.map(([workflow]) => workflow))];

  function make(name, parts = [], attributes = {}) {
    const made = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.append(...[parts].flat());
    return made;
  }

  function drawn(name, attributes, text = "") {
    const made = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.textContent = text;
    return made;
  }

  // ---- what is chosen

  function select(label, name) {
    const made = make("select");
    made.addEventListener("change", () => {
      const value = made.value;
      const usual = name === "range" ? USUAL : "";
      const more = name === "workflow" ? { "trend.step": null } : {};
      site.address.set({ ...more, [`trend.${name}`]: value === usual ? null : value });
    });
    return [made, make("label", [label, " ", made])];
  }

  const [range, rangeLabel] = select("Window", "range");
  const [workflow, workflowLabel] = select("Workflow", "workflow");
  const [step, stepLabel] = select("Step", "step");
  const figure = make("figure", [], { class: "agents-chart" });

  function options(field, values, chosen) {
    field.replaceChildren(...values.map(([value, text]) => make("option", site.cells.shown(text), { value })));
    field.value = chosen;
  }

  function chosen() {
    const asked = (name) => site.address.get(`trend.${name}`);
    const days = Object.hasOwn(RANGES, asked("range") ?? "") ? asked("range") : USUAL;
    const name = workflows.includes(asked("workflow")) ? asked("workflow") : workflows[0];
    const steps = data.series.filter(([one, part]) => one === name && part !== null).map(([, part]) => part);
    const part = steps.includes(asked("step")) ? asked("step") : null;
    options(range, Object.keys(RANGES).map((one) => [one, one.replace("h", " h").replace("d", " d")]), days);
    options(workflow, workflows.map((one, at) => [one, one || `workflow ${at + 1}`]), name);
    options(step, [["", "(whole runs)"], ...steps.map((one) => [one, one])], part ?? "");
    return { days, name, part };
  }

  // ---- the chart

  function bucketsOf({ days, name, part }) {
    const place = data.series.findIndex(([one, of]) => one === name && of === part);
    const size = days === "24h" ? HOUR_MS : DAY_MS;
    const last = Math.floor(until / size) * size;
    const first = days === "24h" ? last - 24 * HOUR_MS : last - (RANGES[days] - 1) * DAY_MS;
    const own = (days === "24h" ? data.hours : data.days).filter(([of]) => of === place);
    const buckets = own.map(([, at, n, p50, p90, successes, of]) => ({ at: Date.parse(at), n, p50, p90, successes, of }));
    return { size, first, last, buckets: buckets.filter(({ at }) => at >= first && at <= last).sort((a, b) => a.at - b.at) };
  }

  // A line is broken where a day or an hour has no value.
  function path(points, size) {
    return points.map(({ at, x, y }, place) => `${place && at - points[place - 1].at <= size ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  }

  function niceTop(most) {
    const power = 10 ** Math.floor(Math.log10(most));
    return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= most) ?? most;
  }

  const tick = (seconds, isLong) => (isLong ? `${fixed(seconds / 60, 1)} min` : `${fixed(seconds, 1)} s`);
  const when = (at, size) => new Date(at).toISOString().slice(size === DAY_MS ? 5 : 11, size === DAY_MS ? 10 : 16);

  function picture({ size, first, last, buckets }) {
    const timed = buckets.filter(({ n }) => n > 0);
    const width = Math.max(LEAST_WIDTH, holder.clientWidth - 24);
    const svg = drawn("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": summary({ size, buckets }) });
    const most = Math.max(1, ...timed.map(({ p90 }) => p90));
    const isLong = most >= 120;
    const top = isLong ? 60 * niceTop(most / 60) : niceTop(most);
    const x = (at) => LEFT + ((width - LEFT - RIGHT) * (at - first)) / Math.max(size, last - first);
    const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
    for (const share of [0, 0.5, 1]) {
      const at = y(top * share);
      svg.append(drawn("line", { x1: LEFT, x2: width - RIGHT, y1: at, y2: at, class: "rule" }));
      svg.append(drawn("text", { x: LEFT - 6, y: at + 4, "text-anchor": "end" }, tick(top * share, isLong)));
    }
    for (const share of width < 600 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1]) {
      const at = Math.round((first + (last - first) * share) / size) * size;
      svg.append(drawn("text", { x: x(at), y: HEIGHT - 6, "text-anchor": share === 1 ? "end" : "middle" }, when(at, size)));
    }
    for (const kind of ["p90", "p50"]) {
      const points = timed.map((one) => ({ ...one, x: x(one.at), y: y(one[kind]) }));
      svg.append(drawn("path", { d: path(points, size), class: kind }));
      points.forEach((one) => {
        const dot = drawn("circle", { cx: one.x, cy: one.y, r: 3, class: kind });
        dot.append(drawn("title", {}, `${new Date(one.at).toISOString().slice(0, 16).replace("T", " ")} UTC: ${kind} ${tick(one[kind], isLong)}, ${counted(one.n, "attempt")}`));
        svg.append(dot);
      });
    }
    return svg;
  }

  function summary({ size, buckets }) {
    const timed = buckets.filter(({ n }) => n > 0);
    const n = buckets.reduce((sum, one) => sum + one.n, 0);
    const [successes, of] = ["successes", "of"].map((name) => buckets.reduce((sum, one) => sum + one[name], 0));
    const unit = size === DAY_MS ? "day" : "hour";
    const rate = of ? `; ${fixed((100 * successes) / of, 1)} % of ${of.toLocaleString("en")} succeeded` : "";
    const end = new Date(until).toISOString().slice(0, 16).replace("T", " ");
    return `To ${end} UTC: ${counted(n, "timed attempt")} on ${counted(timed.length, unit)}${rate}`;
  }

  function show() {
    const state = chosen();
    const told = bucketsOf(state);
    const keys = make("span", [make("span", "p50", { class: "p50" }), " ", make("span", "p90", { class: "p90" })], { class: "agents-keys" });
    const caption = make("figcaption", [keys, ` ${summary(told)}`]);
    const isEmpty = !told.buckets.some(({ n }) => n > 0);
    const nothing = make("p", "No attempt with a known time in this window: choose a longer one.", { class: "empty" });
    figure.replaceChildren(caption, isEmpty ? nothing : picture(told));
  }

  const tools = make("div", [rangeLabel, workflowLabel, stepLabel], { class: "tools", role: "group", "aria-label": "What the chart shows" });
  holder.append(tools, figure);
  holder.hidden = workflows.length === 0;
  document.addEventListener("trackside:address", show);
  if (workflows.length) {
    show();
  }
})();
