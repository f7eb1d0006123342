"use strict";

// Rows of the tables out of a data file of agent operations, as the page has them when it is built: the same figures,
// words and links. The established dashboard's file, which tells less, is read too; what it does not tell is unknown.
(() => {
  const site = (window.trackside ??= {});
  if (site.agentRows) {
    return;
  }
  const block = document.getElementById("agents-context");
  if (!block) {
    return;
  }
  const context = JSON.parse(block.textContent);
  const marks = JSON.parse(document.getElementById("marks").textContent);
  const DECIDED = ["success", "failure", "timed_out", "startup_failure"];
  const UNFINISHED = ["in_progress", "queued", "waiting", "requested", "pending"];
  const Z = 1.959963984540054;
  const FEW = 3;
  const BRANCH = /^https?:\/\/[^/]+\/([\w.-]+\/[\w.-]+)\/tree\//;
  const HOST = new URL(context.home).host;
  const FOLDER = /^\.github\/workflows\//;
  const { fixed, rounded, many, counted, isNumber, length } = site.agentNumbers;
  const text = (value) => (value === null || value === undefined ? null : String(value));
  const words = (name) => name.replaceAll("_", " ");

  // Times are UTC, also where a writer forgot to say so.
  function moment(value) {
    const isZoned = /(z|[+-]\d\d:?\d\d)$/i.test(value ?? "");
    const at = new Date(typeof value === "string" ? (isZoned ? value : `${value}Z`) : NaN);
    return Number.isNaN(at.getTime()) ? null : at;
  }

  const minute = (at) => at.toISOString().slice(0, 16).replace("T", " ");

  // ---- cells: v value, t text, u link, n note, k tone, i further cells

  function cell(value, more = {}) {
    const told = Object.entries(more).filter(([name, one]) => name === "t" || (one !== null && one !== undefined));
    return told.length ? { v: value, ...Object.fromEntries(told) } : value;
  }

  const inMinutes = (seconds, note = null) =>
    isNumber(seconds) ? cell(rounded(seconds / 60, 2), { t: fixed(seconds / 60, 1), n: note }) : null;
  const tenths = (value) => (isNumber(value) ? cell(rounded(value, 1), { t: fixed(value, 1) }) : null);

  function time(value) {
    const at = moment(value);
    return at && `${at.toISOString().slice(0, 19)}Z`;
  }

  // ---- a run

  const asList = (value) => (Array.isArray(value) ? value : []);
  const runKey = (run) => `${run.id ?? 0}.${run.run_attempt ?? 1}`;

  // An address that is not on the host of the repository gives way to the repository's own page of that path.
  function page(url, path) {
    const isHere = typeof url === "string" && /^https?:\/\//.test(url) && URL.canParse(url) && new URL(url).host === HOST;
    return isHere ? url : `${context.home}/${path}`;
  }

  // As Python quotes: what stands in paths, and nothing that a page would act on.
  const quoted = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

  function runCell(run) {
    const number = run.run_number ?? run.id ?? null;
    const attempt = (run.run_attempt ?? 1) > 1 ? ` (${run.run_attempt})` : "";
    return cell(number, { t: number === null ? null : `#${number}${attempt}`, u: attemptPage(run) });
  }

  // The page of this attempt: that of the run shows the newest.
  function attemptPage(run) {
    if ((run.id ?? null) === null) {
      return null;
    }
    const attempt = run.run_attempt ?? null;
    return `${context.home}/actions/runs/${run.id}${attempt === null ? "" : `/attempts/${attempt}`}`;
  }

  function agentCell(run) {
    if ((run.agent_name ?? null) === null) {
      return cell(context.unattributed, { k: "quiet" });
    }
    const part = run.agent_role && (context.roles[run.agent_role] ?? run.agent_role);
    const source = run.agent_source ? words(run.agent_source) : "not said how it was told";
    const sure = isNumber(run.agent_confidence) ? fixed(run.agent_confidence, 2) : null;
    return cell(text(run.agent_name), { n: [part, source, sure].filter(Boolean).join(", ") });
  }

  function pullsOf(run) {
    const told = asList(run.pull_requests).filter((one) => isNumber(one?.number));
    const pulls = told.length ? told : asList(run.pr_numbers).filter(isNumber).map((number) => ({ number }));
    return pulls.map((one) => ({ ...one, url: page(one.url, `pull/${one.number}`) }));
  }

  function pullCell(run) {
    const pulls = pullsOf(run);
    if (!pulls.length) {
      const merged = run.last_merged_pull?.number;
      return cell(null, { t: "none", n: isNumber(merged) ? `last merged #${merged}` : null, k: "quiet" });
    }
    const note = pulls.map((one) => [one.state, one.title === run.display_title ? null : one.title].filter(Boolean).join(": ")).filter(Boolean);
    const [first, ...others] = pulls.map((one) => ({ v: one.number, t: `#${one.number}`, u: one.url }));
    return cell(first.v, { t: first.t, u: first.u, n: note.join("; ") || null, i: others.length ? others : null });
  }

  function issueCell(run) {
    const told = asList(run.issue_numbers).filter(isNumber);
    const numbers = told.length ? told : [run.issue_number].filter(isNumber);
    if (!numbers.length) {
      return cell(null, { t: "none", k: "quiet" });
    }
    const [first, ...others] = numbers.map((one) => ({ v: one, t: `#${one}`, u: `${context.home}/issues/${one}` }));
    const note = run.issue_source ? words(run.issue_source) : null;
    return cell(first.v, { t: first.t, u: first.u, n: note, i: others.length ? others : null });
  }

  function detailCell(run) {
    const count = isNumber(run.job_count) ? run.job_count : null;
    return cell(count, { t: count === null ? "open" : counted(count, "job"), u: run.id === null ? null : `?run=${runKey(run)}` });
  }

  function branchCell(run) {
    const name = text(run.head_branch);
    if (name === null) {
      return null;
    }
    const path = `tree/${name.split("/").map(quoted).join("/")}`;
    const own = new URL(context.home).pathname.split("/").slice(-2).join("/");
    const head = headRepository(run, own);
    if (head === null) {
      return `?:${name}`;
    }
    const isOurs = head.toLowerCase() === own.toLowerCase();
    return isOurs ? cell(name, { u: `${context.home}/${path}` }) : cell(`${head.split("/")[0]}:${name}`, { u: `${context.home.slice(0, -own.length)}${head}/${path}` });
  }

  // The repository that the branch is in; null where it is not told: a fork that is gone, or no page of GitHub.
  function headRepository(run, own) {
    if ((run.branch_url ?? null) === null) {
      return context.pull_events.includes(run.event) ? null : own;
    }
    return BRANCH.exec(run.branch_url)?.[1] ?? null;
  }

  function commitCell(run) {
    const sha = run.head_sha_full ?? run.head_sha ?? null;
    const shown = String(run.head_sha ?? sha).slice(0, 8);
    return sha === null ? null : cell(text(sha), { t: shown, u: page(run.commit_url, `commit/${quoted(sha)}`) });
  }

  function runRow(run) {
    return [
      runCell(run),
      detailCell(run),
      cell(text(run.workflow_name ?? run.workflow_file), { n: text(run.display_title) }),
      text(run.conclusion ?? run.status),
      agentCell(run),
      text(run.event),
      text(run.triggering_actor ?? run.actor),
      branchCell(run),
      commitCell(run),
      pullCell(run),
      issueCell(run),
      inMinutes(run.duration_seconds),
      inMinutes(run.queue_seconds),
      time(run.run_started_at ?? run.created_at),
      run.id ?? null,
      run.run_attempt ?? null,
      text(run.display_title),
      attemptPage(run),
    ];
  }

  // ---- groups of runs

  function wilson(successes, n) {
    const [share, zz] = [successes / n, Z * Z];
    const middle = (share + zz / (2 * n)) / (1 + zz / n);
    const half = (Z * Math.sqrt((share * (1 - share)) / n + zz / (4 * n * n))) / (1 + zz / n);
    return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
  }

  function successOf(outcomes) {
    const n = DECIDED.reduce((sum, kind) => sum + (outcomes[kind] ?? 0), 0);
    const successes = outcomes.success ?? 0;
    return n ? { successes, n, rate: successes / n, ...wilson(successes, n) } : { successes: 0, n: 0, rate: null };
  }

  const interval = (told) => `${fixed(told.low * 100, 1)}–${fixed(told.high * 100, 1)} %`;

  function rateCell(told) {
    if (!isNumber(told?.rate)) {
      return cell(null, { n: `of ${many(told?.n ?? 0)}` });
    }
    const share = told.rate * 100;
    return cell(rounded(share, 1), { t: fixed(share, 1), n: `${interval(told)} of ${many(told.n)}` });
  }

  // How many ended how, in marks, and in words for files and to hear.
  function outcomesCell(outcomes) {
    const parts = Object.entries(context.outcomes).filter(([kind]) => outcomes[kind] > 0);
    const told = parts.map(([kind, label]) => `${many(outcomes[kind])} ${label}`).join(", ");
    const short = parts.map(([kind]) => `${marks[kind]?.[1] ?? "–"} ${many(outcomes[kind])}`).join(" ");
    return told ? cell(told, { t: short, s: told }) : null;
  }

  function trend(told, names, shown) {
    if (!told || told.direction === "unknown" || !isNumber(told.before) || !isNumber(told.after)) {
      return cell("too few", { k: "quiet" });
    }
    return told.direction === "flat" ? cell("→ steady", { k: "quiet" }) : `${names[told.direction]}: ${shown(told.before)} → ${shown(told.after)}`;
  }

  const durationTrend = (told) => trend(told, { up: "↑ longer", down: "↓ shorter" }, (value) => fixed(value / 60, 1).replaceAll(",", ""));
  const successTrend = (told) => trend(told, { up: "↑ better", down: "↓ worse" }, (value) => `${fixed(value * 100, 1)} %`);

  function costCell(cost, currency) {
    if (!isNumber(cost)) {
      return null;
    }
    return cell(rounded(cost, 2), { t: cost >= 0.01 || !cost ? `${currency} ${fixed(cost, 2)}` : `below ${currency} 0.01` });
  }

  function counts(told) {
    const order = Object.entries(told ?? {}).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    return order.map(([name, count]) => `${words(name)} ${many(count)}`).join(", ") || null;
  }

  function otherParts(roles) {
    const others = Object.entries(roles ?? {}).filter(([role]) => role !== "ran");
    return counts(Object.fromEntries(others.map(([role, count]) => [context.roles[role] ?? role, count])));
  }

  function confidence(row) {
    const [low, high] = [row.confidence_min, row.confidence_max];
    if (!isNumber(low) || !isNumber(high)) {
      return null;
    }
    return low === high ? fixed(low, 2) : `${fixed(low, 2)}-${fixed(high, 2)}`;
  }

  function times(told) {
    const note = told?.n > 0 && told.n < FEW ? `of ${many(told.n)}` : null;
    return [inMinutes(told?.p50_s, note), inMinutes(told?.p90_s)];
  }

  function workflowRow(row, currency) {
    return [
      cell(text(row.name), { n: row.file ? String(row.file).replace(FOLDER, "").replace(/@.*$/s, "") : null }),
      row.outcomes.total ?? 0,
      outcomesCell(row.outcomes),
      rateCell(row.success),
      ...times(row.run),
      inMinutes(row.queue?.p50_s),
      durationTrend(row.duration_trend),
      successTrend(row.success_trend),
      tenths(row.runner_minutes),
      costCell(row.cost, currency),
      time(row.last_run_at),
    ];
  }

  function agentRow(row, currency) {
    return [
      row.name ? text(row.name) : cell(context.unattributed, { k: "quiet" }),
      row.outcomes.total ?? 0,
      outcomesCell(row.outcomes),
      rateCell(row.success),
      ...times(row.run),
      otherParts(row.roles),
      counts(row.sources),
      confidence(row),
      tenths(row.runner_minutes),
      costCell(row.cost, currency),
      time(row.last_run_at),
    ];
  }

  // What the established file counts of a group; the rest of its total ended otherwise.
  function groupOf(name, told) {
    const known = ["success", "failure", "in_progress"].map((kind) => told[kind] ?? 0);
    const total = told.total ?? 0;
    const other = Math.max(0, total - known.reduce((sum, count) => sum + count, 0));
    const [success, failure, in_progress] = known;
    const outcomes = told.outcomes ?? { total, success, failure, in_progress, other };
    return { name, outcomes, success: successOf(outcomes), roles: told.other_roles };
  }

  const groupsOf = (told) => Object.entries(told ?? {}).map(([name, one]) => groupOf(name, one));

  function unattributedGroup(document) {
    if (document.unattributed) {
      return [groupOf(null, document.unattributed)];
    }
    const told = asList(document.runs).filter((run) => (run.agent_name ?? null) === null);
    const count = (kind) => told.filter((run) => (run.conclusion ?? run.status) === kind).length;
    const outcomes = Object.fromEntries(Object.keys(context.outcomes).map((kind) => [kind, count(kind)]));
    return told.length ? [groupOf(null, { total: told.length, outcomes: { ...outcomes, total: told.length } })] : [];
  }

  // ---- headline figures, as [value, basis] by key

  function kpis(document) {
    const told = document.summary ?? {};
    const total = told.total_runs ?? 0;
    const outcomes = told.outcomes ?? {};
    const runs = told.distinct_runs === undefined ? counted(total, "attempt") : `${counted(total, "attempt")} of ${counted(told.distinct_runs, "run")}`;
    const [first, last] = [document.window?.first_run_at, document.window?.last_run_at].map(moment);
    const extent = first && last ? `, created ${minute(first)} to ${minute(last)} UTC` : "";
    const open = UNFINISHED.filter((kind) => outcomes[kind] > 0).map((kind) => `${many(outcomes[kind])} ${context.outcomes[kind]}`);
    const notOver = told.outcomes ? `; not over: ${open.join(", ") || "none"}` : "";
    return {
      total: [many(total), `${runs}${extent}`],
      completed: [many(told.completed ?? 0), `of ${counted(total, "attempt")}`],
      "in-progress": [many(told.in_progress ?? 0), `of ${counted(total, "attempt")}${notOver}`],
      "agents-success": agentsKpi(document),
      success: successKpi(told),
      duration: durationKpi(document, told),
      failures: failuresKpi(document, told),
    };
  }

  function agentsKpi(document) {
    const rows = document.statistics?.agents ?? groupsOf(document.agent_workload);
    const parts = rows.filter((row) => row.name).map((row) => row.success ?? {});
    const [success, n] = ["successes", "n"].map((name) => parts.reduce((sum, one) => sum + (one[name] ?? 0), 0));
    const rate = successOf({ success, failure: n - success });
    const basis = `${many(success)} of ${counted(n, "attempt")} in which an agent worked`;
    return isNumber(rate.rate) ? [`${fixed(rate.rate * 100, 1)} %`, `95 % ${interval(rate)}; ${basis}`] : ["unknown", basis];
  }

  function successKpi(told) {
    const rate = told.success_of_decided ?? successOf({ success: told.success ?? 0, failure: told.failure ?? 0 });
    const kinds = (told.success_of_decided ? DECIDED : DECIDED.slice(0, 2)).map((kind) => context.outcomes[kind]);
    const basis = `${many(rate.successes)} of ${many(rate.n)} that ${kinds.slice(0, -1).join(", ")} or ${kinds.at(-1)}`;
    return isNumber(rate.rate) ? [`${fixed(rate.rate * 100, 1)} %`, `95 % ${interval(rate)}; ${basis}`] : ["unknown", basis];
  }

  function durationKpi(document, told) {
    const run = document.statistics?.all_runs?.run;
    if (isNumber(run?.mean_s)) {
      const quantiles = `p50 ${length(run.p50_s)}, p90 ${length(run.p90_s)}`;
      return [length(run.mean_s), `${quantiles}; of ${counted(run.n, "attempt")} that ran`];
    }
    const mean = run ? null : told.avg_duration_seconds;
    return [isNumber(mean) ? length(mean) : "unknown", `of ${many(told.completed ?? 0)} completed`];
  }

  function failuresKpi(document, told) {
    const to = moment(document.last_updated);
    const DAY_MS = 86_400_000;
    const created = asList(document.runs).map((run) => moment(run.created_at)).filter(Boolean);
    const isFresh = (at) => at && to && at <= to && to - at < DAY_MS;
    const fresh = created.filter(isFresh).length;
    const otherwise = asList(document.runs).filter((run) => isFresh(moment(run.created_at)) && ["timed_out", "startup_failure"].includes(run.conclusion)).length;
    const besides = otherwise ? `; ${many(otherwise)} more timed out or could not start` : "";
    const selected = document.rows?.selected ?? told.total_runs ?? 0;
    const isWhole = selected <= created.length || created.some((at) => to && to - at >= DAY_MS);
    const extent = to ? ` created in the 24 h to ${minute(to)} UTC` : "";
    return [many(told.recent_failures_24h ?? 0), `of ${isWhole ? "" : "at least "}${counted(fresh, "attempt")}${extent}${besides}`];
  }

  // ---- the jobs of a run, in the short form that the page carries

  function detailsOf(run) {
    const jobs = asList(run.jobs);
    const starts = jobs.map((job) => moment(job.started_at)).filter(Boolean);
    const began = starts.length ? Math.min(...starts) : null;
    const offset = (value) => (moment(value) && began !== null ? (moment(value) - began) / 1000 : null);
    const step = (one) => [one.number, one.name, one.conclusion ?? one.status, offset(one.started_at), one.duration_seconds];
    return {
      j: jobs.map((job) => [
        job.name, job.conclusion ?? job.status, offset(job.started_at), job.duration_seconds, job.queue_seconds,
        job.id, job.runner, job.failed_step, job.cause, null, Array.isArray(job.steps) ? job.steps.map(step) : null,
      ]),
      a: asList(run.artifacts).map((one) => [one.name, one.size_bytes, one.state, one.url]),
    };
  }

  site.agentRows = {
    context,
    moment,
    asList,
    kpis,
    runKey,
    runRow,
    detailsOf,
    workflows(document) {
      const { workflows, currency } = document.statistics ?? {};
      return (workflows ?? groupsOf(document.workflow_stats)).map((row) => workflowRow(row, currency));
    },
    agents(document) {
      const { agents, currency } = document.statistics ?? {};
      const groups = agents ?? [...groupsOf(document.agent_workload), ...unattributedGroup(document)];
      return groups.map((row) => agentRow(row, currency));
    },
  };
})();
