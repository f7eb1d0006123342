"use strict";

// A site that is served keeps its page of agents true: where data/agentops-runs.json tells of newer runs than the page,
// runs, figures, workflows and agents are those of the file. Nothing is fetched from a page that was opened as a file.
(() => {
  const site = (window.trackside ??= {});
  const updated = document.getElementById("agents-updated");
  if (!updated || site.agents || !site.agentRows) {
    return;
  }
  const REFRESH_MS = 300_000;
  const VERSION = 1;
  const { context, kpis, runRow, runKey, workflows, agents, detailsOf, moment, asList } = site.agentRows;
  const url = `${document.body.dataset.root}data/${context.file}`;
  let newest = Date.parse(context.last_updated);
  let reading = null;

  function say(text) {
    document.getElementById("agents-problem")?.remove();
    if (text) {
      const made = document.createElement("p");
      made.className = "banner";
      made.id = "agents-problem";
      made.append(text);
      document.getElementById("banners").append(made);
    }
  }

  // What is wrong with a file, in a sentence; null where it can be shown.
  function problem(document) {
    if (document === null || typeof document !== "object" || !Array.isArray(document.runs)) {
      return "data/agentops-runs.json is no file of runs: what is shown is older.";
    }
    if ((document.schema_version ?? VERSION) > VERSION) {
      return "data/agentops-runs.json is of a newer version than this page: build the site anew.";
    }
    const repo = document.repository ?? context.repo;
    if (String(repo).toLowerCase() !== context.repo.toLowerCase()) {
      return `data/agentops-runs.json is of another repository, ${site.cells.shown(repo)}: it is not shown.`;
    }
    return document.segment ? "data/agentops-runs.json is only one month of the data: it is not shown." : null;
  }

  const isRun = (run) => run !== null && typeof run === "object" && Number.isSafeInteger(run.id);

  const STARTED = 13;
  const startOf = (row) => String(row[STARTED]?.v ?? row[STARTED] ?? "");
  const newestFirst = (rows) => rows.sort((a, b) => (startOf(a) < startOf(b) ? 1 : startOf(a) > startOf(b) ? -1 : 0));

  // The file has the runs that were created last. Others of the page stay, one more attempt of an old run too.
  function mergedRows(runs) {
    const told = new Set(runs.map((run) => `?run=${runKey(run)}`));
    const before = site.table("runs").rows().filter((row) => !told.has(row[1]?.u));
    return newestFirst([...runs.map(runRow), ...before]);
  }

  function showFigures(figures) {
    for (const [key, [value, basis]] of Object.entries(figures)) {
      const card = document.querySelector(`[data-kpi="${key}"]`);
      card.querySelector("b").textContent = value;
      card.querySelector(".basis").textContent = basis;
    }
  }

  function recentRows(told) {
    const places = [0, 1, 2, 3, 4, 7, 8, 9, STARTED, 14, 15, 16, 17];
    const failed = asList(told.recent_failures).filter(isRun);
    return newestFirst(failed.map(runRow).map((row) => places.map((at) => row[at])));
  }

  function learn(told, runs) {
    const withJobs = runs.filter((run) => Array.isArray(run.jobs) && run.jobs.length);
    const fresh = withJobs.filter((run) => !site.agentRun.has(runKey(run)));
    for (const entry of asList(told.failure_groups)) {
      const jobs = asList(entry?.runs).map((run) => run?.job_id);
      const number = jobs.map((job) => context.failed_jobs[job]).find(Boolean);
      jobs.forEach((job) => number && site.agentRun.know(job, number));
    }
    site.agentRun.add(Object.fromEntries(fresh.map((run) => [runKey(run), detailsOf(run)])));
  }

  // Takes over a file; with isNewer false only the jobs in it, for runs whose jobs the page does not have.
  function take(told, isNewer) {
    const runs = told.runs.filter(isRun);
    learn(told, runs);
    if (!isNewer) {
      return false;
    }
    const rows = { runs: mergedRows(runs), workflows: workflows(told), agents: agents(told), recent: recentRows(told) };
    const figures = kpis(told);
    Object.entries(rows).forEach(([key, one]) => site.table(key).setRows(one));
    showFigures(figures);
    newest = moment(told.last_updated).getTime();
    updated.dateTime = new Date(newest).toISOString();
    updated.removeAttribute("title");
    updated.textContent = updated.dateTime.slice(0, 16).replace("T", " ");
    return true;
  }

  const HEAD = 4096;

  // Reads the file; what is not newer is not decoded, unless the jobs in it are wanted.
  async function read(wantsJobs) {
    let text;
    try {
      const answer = await fetch(url, { cache: "no-cache" });
      text = answer.ok ? await answer.text() : null;
    } catch {
      text = null; // The server is away for a moment; it is asked again.
    }
    if (text === null) {
      return false;
    }
    const at = moment(/"last_updated"\s*:\s*"([^"]+)"/.exec(text.slice(0, HEAD))?.[1]);
    if (!wantsJobs && at !== null && at.getTime() <= newest) {
      say(null);
      return false;
    }
    let told = null;
    try {
      told = JSON.parse(text);
    } catch {
      told = null; // It is cut, or of others: that is said.
    }
    const wrong = problem(told);
    say(wrong);
    try {
      return wrong === null && take(told, (moment(told.last_updated)?.getTime() ?? 0) > newest);
    } catch {
      say("data/agentops-runs.json tells of runs in another way than it should: what is shown is older.");
      return false;
    }
  }

  function refresh(wantsJobs = false) {
    reading ??= read(wantsJobs).finally(() => (reading = null));
    return reading;
  }

  site.agents = { refresh: () => refresh(), take: (told) => problem(told) === null && take(told, true) };
  if (!site.isServed) {
    return;
  }
  site.agentRun.onOpen = (key, isKnown) => !isKnown && refresh(true);
  const asked = site.address.get("run");
  const start = () => refresh(asked !== null && !site.agentRun.has(asked));
  window.addEventListener("load", () => setTimeout(start, 200));
  setInterval(refresh, REFRESH_MS, false);
})();
