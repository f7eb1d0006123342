"use strict";

// The values of series: what a page carries in #perf-data as points, in words, and how each looks in a chart.
(() => {
  const data = JSON.parse(document.getElementById("perf-data").textContent);
  const { runs, jobs } = data;
  const FAILED = 1;
  const OUTCOMES = ["passed", "failed", "outcome not told"];
  const MARKERS = ["circle", "square", "triangle", "diamond", "inverted_triangle", "hex"];
  const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 7 });

  function named(column, at) {
    const place = column.of[at];
    return place < 0 ? "" : column.texts[place];
  }

  function runUrl(run) {
    return run in runs.url ? runs.url[run] : `${data.home}/actions/runs/${runs.id[run]}`;
  }

  function jobUrl(job) {
    return job in jobs.url ? jobs.url[job] : `${data.home}/actions/runs/${runs.id[jobs.run[job]]}/job/${jobs.id[job]}`;
  }

  function pullUrl(run) {
    return run in runs.pull_url ? runs.pull_url[run] : `${data.home}/pull/${runs.pull[run]}`;
  }

  function utc(ms) {
    return ms === null ? "" : new Date(ms).toISOString().slice(0, 16).replace("T", " ");
  }

  function pointsOf(key) {
    const told = data.series[key];
    let job = 0;
    return told.value.map((value, place) => {
      job += told.job[place];
      const flag = told.flag[place];
      const run = jobs.run[job];
      return {
        place,
        value,
        job,
        run,
        test: flag % 4,
        isFinal: (flag >> 2) % 2 === 0,
        attempt: flag >> 3,
        isMain: runs.main[run] === 1,
        failed: flag % 4 === FAILED || named(jobs.outcome, job) === "failed",
      };
    });
  }

  function runText(point) {
    const attempt = runs.attempt[point.run];
    return `#${runs.number[point.run] ?? runs.id[point.run]}${attempt > 1 ? `, attempt ${attempt}` : ""}`;
  }

  function changeText(point) {
    const pull = runs.pull[point.run];
    return [pull ? `#${pull}` : "", named(runs.title, point.run)].filter(Boolean).join(" ");
  }

  function commitText(point) {
    const branch = point.isMain ? "" : named(runs.branch, point.run);
    return [(runs.sha[point.run] ?? "").slice(0, 7), named(runs.author, point.run), branch].filter(Boolean).join(" · ");
  }

  function runnerText(point) {
    return [named(jobs.runner, point.job), data.pools[jobs.pool[point.job]]].filter(Boolean).join(" · ") || "not told";
  }

  function outcomeText(point) {
    const job = named(jobs.outcome, point.job);
    const told = [OUTCOMES[point.test]];
    if (!point.isFinal) {
      told.push(`try ${point.attempt}, followed by another`);
    }
    if (job && job !== OUTCOMES[point.test]) {
      told.push(`job ${job}`);
    }
    return told.join(", ");
  }

  function colourOf(point) {
    return data.colours[jobs.pool[point.job]];
  }

  function markersOf(points) {
    const runners = [...new Set(points.map((point) => jobs.runner.of[point.job]))].filter((at) => at >= 0);
    const few = runners.length > 1 && runners.length <= MARKERS.length;
    return new Map(few ? runners.sort((a, b) => a - b).map((at, place) => [at, MARKERS[place]]) : []);
  }

  function lookOf(point, markers) {
    const line = colourOf(point);
    const own = markers.get(jobs.runner.of[point.job]) ?? "circle";
    if (point.failed) {
      return { marker: "x", size: point.isMain ? 9 : 7, line, line_alpha: point.isMain ? 1 : 0.6, fill: line, fill_alpha: 0 };
    }
    if (!point.isFinal) {
      return { marker: "dot", size: 9, line, line_alpha: 0.7, fill: line, fill_alpha: 0.7 };
    }
    if (!point.isMain) {
      return { marker: own, size: 6, line, line_alpha: 0.45, fill: line, fill_alpha: 0 };
    }
    return { marker: own, size: 7, line, line_alpha: 0, fill: line, fill_alpha: 0.85 };
  }

  function valueText(value, unit) {
    return `${number.format(value)} ${unit}`;
  }

  window.perfPoints = {
    data,
    changeText,
    commitText,
    jobUrl,
    lookOf,
    markersOf,
    named,
    outcomeText,
    pointsOf,
    pullUrl,
    runText,
    runUrl,
    runnerText,
    utc,
    valueText,
  };
})();
