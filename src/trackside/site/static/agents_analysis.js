"use strict";

// "Analyze run": how to have the logs of a run looked into. A site that is only files leads to the workflow and shows
// the command for it; a live one does it here, with a token that is typed in and kept for this tab only.
(() => {
  const site = window.trackside;
  if (!site.agentRows || site.agentAnalysis) {
    return;
  }
  const { context } = site.agentRows;
  const { element } = site.cells;
  const TOKEN = "trackside-token";

  function command(id) {
    const name = /^[\w.-]+$/.test(context.analyzer) ? context.analyzer : `'${context.analyzer.replaceAll("'", "'\\''")}'`;
    return `gh workflow run ${name} -R ${context.repo} -f run_id=${id}`;
  }

  function copier(text) {
    const button = element("button", "Copy", { type: "button", "aria-label": "Copy the command" });
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Select and copy it";
      }
    });
    return button;
  }


  function liveForm(id) {
    const field = element("input", [], { type: "password", autocomplete: "off", required: "", id: "run-token" });
    field.value = keptToken();
    const button = element("button", "Analyze run");
    const answer = element("div", [], { role: "status" });
    const form = element("form", [element("label", ["Token of this server ", field]), " ", button, answer], { class: "agents-analyze" });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      keepToken(field.value);
      analyze(id, field.value, button, answer);
    });
    return form;
  }

  function keptToken() {
    try {
      return sessionStorage.getItem(TOKEN) ?? "";
    } catch {
      return ""; // Storage may be forbidden: then it is typed again.
    }
  }

  function keepToken(token) {
    try {
      sessionStorage.setItem(TOKEN, token);
    } catch {
      return; // The token is used once, and not kept.
    }
  }

  function documentIn(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  // What the analysis tells of a failed job, in lines.
  function jobLines(job) {
    const found = job.diagnosis ?? {};
    const known = job.known ? `known failure ${job.known.entry_id}, ${job.known.state}, seen ${job.known.count} times` : "not a known failure";
    const lines = [
      `${job.name}: ${job.conclusion ?? job.status ?? "unknown"}`,
      `  step   ${job.failed_step ?? "no failed step"}`,
      found.line ? `  line   ${found.line}` : `  log    ${job.log?.note ?? job.log?.state ?? "not read"}`,
      found.cause ? `  cause  ${found.cause}${found.rule ? ` (rule ${found.rule})` : ""}` : "",
      `  known  ${known}`,
      job.known?.fix ? `  fix    ${job.known.fix}` : "",
    ];
    const fixes = (job.suggestions ?? []).flatMap((one) => [`  do     ${one.title} (rule ${one.rule_id})`, `         ${one.text}`]);
    return [...lines, ...fixes].filter(Boolean);
  }

  function reportOf(text) {
    const told = documentIn(text);
    if (!Array.isArray(told?.jobs)) {
      return [text];
    }
    const failed = told.jobs.filter((job) => job.is_failed);
    const head = `Run ${told.run?.run_id ?? ""}: ${told.jobs.length} jobs, ${failed.length} failed`;
    return [head, ...failed.flatMap((job) => ["", ...jobLines(job)])];
  }

  const refusal = (status, text) => [documentIn(text)?.error ?? `The server answered ${status}.`];

  async function analyze(id, token, button, answer) {
    button.disabled = true;
    answer.textContent = "The logs are looked into. This may take a minute.";
    let lines;
    try {
      const url = `${document.body.dataset.root}api/v1/runs/${id}/analysis`;
      const got = await fetch(url, { method: "POST", headers: { Authorization: `Bearer ${token}` } });
      lines = got.ok ? reportOf(await got.text()) : refusal(got.status, await got.text());
    } catch {
      lines = ["The server did not answer. Try again."];
    }
    button.disabled = false;
    answer.replaceChildren(element("pre", lines.map(site.cells.shown).join("\n")));
  }

  // ``older`` is the attempt that is shown, where it is not the newest.
  site.agentAnalysis = function (id, isLive, older) {
    const text = command(id);
    const page = element("a", "Run the workflow on GitHub", { href: context.dispatch, rel: "noopener" });
    const there = element("p", [page, ` with run_id ${id}, or the command below. The newest attempt of the run is looked at${older === null ? "" : `, not attempt ${older}`}.`], { class: "intro" });
    const line = element("div", [element("pre", element("code", site.cells.shown(text)), { class: "agents-command" }), copier(text)], { class: "agents-copy" });
    return [element("h3", "Analyze run"), ...(isLive ? [liveForm(id)] : []), there, line];
  };
})();
