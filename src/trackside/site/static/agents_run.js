"use strict";

// A run that is opened: its jobs and steps in time, what failed, and how to have its logs analysed. Which one is open
// stands in the address (run=ID.ATTEMPT).
(() => {
  const site = (window.trackside ??= {});
  const dialog = document.getElementById("run-detail");
  if (!dialog || site.agentRun) {
    return;
  }
  const { context } = site.agentRows;
  const { fixed, length, counted } = site.agentNumbers;
  const marks = JSON.parse(document.getElementById("marks").textContent);
  const details = JSON.parse(document.getElementById("agents-details").textContent);
  const title = document.getElementById("run-title");
  const body = document.getElementById("run-body");
  const KEY = /^\d{1,20}\.\d{1,6}$/;
  const [FEW_JOBS, MOST_JOBS, MOST_STEPS] = [3, 300, 100];
  let isLive = false;
  let open = null;

  function make(name, parts = [], attributes = {}) {
    const made = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.append(...[parts].flat().filter((part) => part !== null));
    return made;
  }

  const told = (text) => make("bdi", site.cells.shown(text));

  function link(url, text) {
    const isOurs = typeof url === "string" && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
    const isHere = isOurs && new URL(url).host === new URL(context.home).host;
    return isHere ? make("a", told(text), { href: url, rel: "noopener" }) : told(text);
  }

  function state(name) {
    const known = String(name ?? "unknown").toLowerCase();
    const [tone, mark] = Object.hasOwn(marks, known) ? marks[known] : ["quiet", "–"];
    return { tone, sign: make("span", mark, { "aria-hidden": "true" }), word: String(name ?? "unknown").replaceAll("_", " ") };
  }

  function stateOf(name) {
    const { tone, sign, word } = state(name);
    return make("span", [sign, " ", told(word)], { class: `state ${tone}` });
  }

  // ---- jobs and steps in time

  function parts(row, span) {
    const { tone, sign, word } = state(row.state);
    const mark = make("span", [sign, " ", make("span", site.cells.shown(word), { class: "agents-hidden" })], { class: `state ${tone}` });
    const note = row.note ? make("small", told(row.note)) : null;
    const track = make("span", [], { class: "track" });
    if (typeof row.offset === "number" && typeof row.seconds === "number") {
      const drawn = make("span", [], { class: "bar" });
      drawn.style.setProperty("--from", `${Math.min(100, Math.max(0, (100 * row.offset) / span))}%`);
      drawn.style.setProperty("--width", `${Math.min(100, (100 * row.seconds) / span)}%`);
      track.append(drawn);
    }
    const name = make("span", [mark, " ", row.url ? link(row.url, row.name) : told(row.name), note && " ", note], { class: "name" });
    return [name, track, make("span", length(row.seconds), { class: "time" })];
  }

  const jobPage = (job) => `${context.home}/actions/runs/${open.split(".")[0]}/job/${job[5]}`;

  function jobNote([, , , , queue, , runner, failed, cause]) {
    const waited = queue > 0 ? `waited ${length(queue)}` : "";
    return [waited, runner && `on ${runner}`, failed && `failed at ${failed}`, cause].filter(Boolean).join("; ");
  }

  function stepBars(job, span) {
    const [url, steps] = [jobPage(job), job[10]];
    return steps.slice(0, MOST_STEPS).map(([number, name, how, offset, seconds]) => {
      const lines = number ? `${url}#step:${number}:1` : url;
      return make("li", parts({ name: name ?? "?", state: how, offset, seconds, url: lines }, span), { class: `${state(how).tone} agents-step` });
    });
  }

  function jobBar(job, span, isOpen) {
    const [name, how, offset, seconds, , , , failed] = job;
    const url = jobPage(job);
    const { tone } = state(how);
    const hasSteps = job[10]?.length > 0;
    const row = parts({ name: name ?? "?", state: how, offset, seconds, url: hasSteps ? null : url, note: jobNote(job) }, span);
    if (!hasSteps) {
      return make("li", row, { class: `${tone} agents-job` });
    }
    const log = make("p", link(url, "Log of this job on GitHub"), { class: "intro" });
    const more = job[10].length > MOST_STEPS ? [make("p", `${counted(job[10].length - MOST_STEPS, "step")} more.`)] : [];
    const group = make("details", [make("summary", row), make("ol", stepBars(job, span), { class: "waterfall" }), ...more, log]);
    group.open = isOpen || Boolean(failed);
    return make("li", group, { class: `${tone} agents-job agents-group` });
  }

  function waterfall(jobs) {
    const ends = jobs.map(([, , offset, seconds]) => (offset ?? 0) + (seconds ?? 0));
    const span = Math.max(1, ...ends);
    const inTime = [...jobs].sort((a, b) => (a[2] ?? Infinity) - (b[2] ?? Infinity) || 0);
    const rows = inTime.slice(0, MOST_JOBS).map((job) => jobBar(job, span, jobs.length <= FEW_JOBS));
    const more = jobs.length > MOST_JOBS ? [make("li", `${counted(jobs.length - MOST_JOBS, "job")} more.`)] : [];
    return make("ol", [...rows, ...more], { class: "waterfall" });
  }

  function known(job) {
    const number = context.failed_jobs[job[5]];
    const numbers = number ? [number] : (context.signatures[job[9]] ?? []);
    const links = numbers.map((one) => make("a", `known failure ${one}`, { href: `#known-failure-${one}` }));
    const words = number || !links.length ? [] : ["like "];
    return links.length ? [...words, ...links.flatMap((one, at) => (at ? [", ", one] : [one]))] : ["not a known failure"];
  }

  function failedJobs(jobs) {
    const rows = jobs.filter(([, how]) => ["failure", "timed_out", "startup_failure"].includes(how)).map((job) => {
      const [name, how, , , , , , failed, cause, signature] = job;
      const what = [stateOf(how), " ", link(jobPage(job), name ?? "?"), ": ", failed ? told(failed) : "no failed step"];
      return make("li", [...what, cause ? `, ${site.cells.shown(cause)}` : "", "; ", ...known(job), signature ? make("small", [" signature ", make("code", signature)]) : null]);
    });
    return rows.length ? [make("h3", "What failed"), make("ul", rows)] : [];
  }

  function artifacts(told) {
    const rows = told.map(([name, bytes, how, url]) =>
      make("li", [link(url, name), typeof bytes === "number" ? ` ${fixed(bytes / 1000, 1)} kB` : "", how ? ` ${site.cells.shown(how)}` : ""]),
    );
    return rows.length ? [make("h3", "Artifacts"), make("ul", rows)] : [];
  }

  function untold() {
    const inFile = site.isServed ? "" : " The files in data/ have those of older runs.";
    return make("p", `The jobs of this attempt are not in this page.${inFile} GitHub's page of the run shows them.`, { class: "intro" });
  }

  // ---- what the row of the table tells

  function rowOf(key) {
    const rows = site.table("runs")?.rows() ?? [];
    return rows.find((row) => row[1]?.u === `?run=${key}`) ?? null;
  }

  const textIn = (cell) => (cell !== null && typeof cell === "object" ? (cell.t ?? cell.v) : cell);
  const HEADS = ["Run", null, "Workflow", "State", "Agent", "Event", "Actor", "Branch", "Commit", "PR", "Issue", "Duration (min)", "First job after (min)", "Started (UTC)"];

  function facts(row) {
    const parts = HEADS.flatMap((head, at) => {
      if (head === null) {
        return [];
      }
      const cells = [row[at], ...(row[at]?.i ?? [])];
      const shown = cells.flatMap((cell) => {
        const text = textIn(cell) ?? "–";
        const time = head.startsWith("Started") ? String(text).slice(0, 16).replace("T", " ") : text;
        return [" ", cell?.u ? link(cell.u, time) : head === "State" ? stateOf(text) : told(time)];
      });
      const note = row[at]?.n ? make("small", [" ", told(row[at].n)]) : null;
      return [make("dt", head), make("dd", [...shown.slice(1), note])];
    });
    return make("dl", parts, { class: "agents-said" });
  }

  // ---- opening and closing

  function fill(key) {
    const [id, attempt] = key.split(".");
    const row = rowOf(key);
    const one = details[key];
    title.replaceChildren("Run ", told(row ? textIn(row[0]) : `${id}${attempt > 1 ? ` (${attempt})` : ""}`));
    const jobs = one?.j.length ? [make("h3", counted(one.j.length, "job")), waterfall(one.j)] : [untold()];
    const known = row ? [facts(row)] : [make("p", "This run is not among those of the page.", { class: "intro" })];
    body.replaceChildren(...known, ...failedJobs(one?.j ?? []), ...jobs, ...artifacts(one?.a ?? []), ...site.agentAnalysis(id, isLive, isOlder(id, attempt) ? attempt : null));
  }

  function show() {
    const asked = site.address.get("run") ?? "";
    const key = KEY.test(asked) ? asked : null;
    if (key === null) {
      open = null;
      dialog.close();
    } else if (key !== open) {
      open = key;
      fill(key);
      if (!dialog.open) {
        dialog.showModal();
      }
      title.focus();
      dialog.scrollTop = 0;
      site.agentRun.onOpen?.(key, key in details);
    }
  }

  const close = () => site.address.get("run") !== null && site.address.set({ run: null });

  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("a[href]");
    const href = target?.getAttribute("href") ?? "";
    const isPlain = !event.defaultPrevented && event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (isPlain && href.startsWith("?run=")) {
      event.preventDefault();
      site.address.set({ run: href.slice("?run=".length) });
    } else if (isPlain && href.startsWith("#known-failure-")) {
      close();
      openGroup(href.slice(1));
    }
  });

  function openGroup(id) {
    const group = document.getElementById(id);
    if (group?.matches(".agents-known")) {
      document.querySelectorAll(".agents-known[open]").forEach((one) => (one.open = one === group));
      group.open = true;
      group.scrollIntoView();
      group.querySelector("summary").focus({ preventScroll: true });
    }
  }

  // A failure that is closed is gone: who closed it with the keyboard is back in its row.
  document.querySelectorAll(".agents-known").forEach((group) =>
    group.addEventListener("toggle", () => {
      if (!group.open && [document.body, group.firstElementChild].includes(document.activeElement)) {
        document.querySelector(`#failures a[href="#${group.id}"]`)?.focus();
      }
    }),
  );

  // An older attempt of a run of which the page has a newer one.
  function isOlder(id, attempt) {
    const rows = site.table("runs")?.rows() ?? [];
    return rows.some((row) => new RegExp(`^\\?run=${id}\\.(\\d+)$`).exec(row[1]?.u ?? "")?.[1] > Number(attempt));
  }

  dialog.addEventListener("close", close);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.getElementById("run-close").addEventListener("click", () => dialog.close());
  document.addEventListener("trackside:address", show);
  document.addEventListener("trackside:site", (event) => {
    const was = isLive;
    isLive = event.detail.live === true;
    if (open && was !== isLive) {
      fill(open);
    }
  });

  site.agentRun = {
    // Jobs of runs that the page did not have, or that changed, by the key of the run.
    add(more) {
      Object.assign(details, more);
      if (open && open in more) {
        fill(open);
      }
    },
    // A failed job is of the known failure with that number.
    know(job, number) {
      context.failed_jobs[job] = number;
    },
    has: (key) => key in details,
    onOpen: null,
  };
  show();
  openGroup(location.hash.slice(1));
  window.addEventListener("hashchange", () => openGroup(location.hash.slice(1)));
})();
