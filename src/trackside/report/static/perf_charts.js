"use strict";

// Charts of series: what perf_points.js tells and #perf-figure are drawn where and when the page says.
(() => {
  const {
    data, changeText, commitText, jobUrl, lookOf, markersOf, named, outcomeText, pointsOf, pullUrl, runText, runUrl,
    runnerText, utc, valueText,
  } = window.perfPoints;
  const figure = document.getElementById("perf-figure").textContent;
  const { runs, jobs } = data;
  const VERDICT_COLOURS = { regression: "#d1495b", improvement: "#2a9d5c" };
  const GAP_SLOTS = 3;
  const LABEL_PX = 140;
  const LABEL_ROW_PX = 15;
  const TICK_PX = 100;
  const state = { along: "commit", branches: true };
  const charts = new Map();

  // Where each point stands along: its time, or its place among the commits, a few places further after a gap.
  function placesAlong(points, gaps) {
    if (state.along === "time") {
      return points.map((point) => runs.order[point.run]);
    }
    let slot = -1;
    let last = null;
    return points.map((point) => {
      const key = `${runs.order[point.run]} ${runs.sha[point.run]}`;
      if (key !== last) {
        slot += 1;
        last = key;
      }
      if (gaps.has(point.place)) {
        slot += GAP_SLOTS;
      }
      return slot;
    });
  }

  function levelLine(told, xOf, gaps) {
    const x = [];
    const y = [];
    let last = null;
    for (const [place, level] of told.levels) {
      if (!xOf.has(place)) {
        continue;
      }
      const at = xOf.get(place);
      if (last) {
        const gap = [...gaps].find((each) => each > last.place && each <= place);
        if (gap !== undefined) {
          const before = Math.max(...[...xOf].filter(([each]) => each < gap && told.searched.has(each)).map(([, each]) => each));
          x.push(before, NaN, xOf.get(gap));
          y.push(last.level, NaN, level);
        } else if (level !== last.level) {
          const middle = (last.at + at) / 2;
          x.push(middle, middle);
          y.push(last.level, level);
        }
      }
      x.push(at);
      y.push(level);
      last = { place, level, at };
    }
    return { x, y };
  }

  // Texts of changes stand beside their mark, on the side where there is room, the next row where they would meet.
  function labelsOf(marks, first, last, width) {
    const ends = [];
    const length = LABEL_PX / width;
    return marks.map(({ x, text, colour }) => {
      const at = (x - first) / (last - first || 1);
      const isLeft = at + length > 1;
      const begin = isLeft ? at - length : at;
      let row = ends.findIndex((end) => begin > end);
      row = row < 0 ? ends.length : row;
      ends[row] = begin + length;
      return { x, text, colour, row, align: isLeft ? "right" : "left", offset: isLeft ? -4 : 4 };
    });
  }

  function heightsOf(labels, plot) {
    return labels.map((label) => plot.inner_height - LABEL_ROW_PX * (label.row + 1));
  }

  function source(plot, name) {
    return plot.renderers.map((each) => each.data_source).find((each) => each.name === name);
  }

  function fill(chart) {
    const { plot, told } = chart;
    const gaps = new Set(told.gaps);
    const shown = chart.points.filter((point) => state.branches || point.isMain);
    const along = placesAlong(shown, gaps);
    const xOf = new Map(shown.map((point, index) => [point.place, along[index]]));
    const order = shown.map((_, index) => index).sort((a, b) => weight(shown[a]) - weight(shown[b]) || a - b);
    const columns = Object.fromEntries(Object.keys(source(plot, "points").data).map((name) => [name, []]));
    for (const index of order) {
      const point = shown[index];
      const row = {
        x: along[index],
        y: point.value,
        place: point.place,
        ...lookOf(point, chart.markers),
        run: runText(point),
        change: changeText(point),
        commit: commitText(point),
        runner: runnerText(point),
        value: valueText(point.value, chart.unit),
        outcome: outcomeText(point),
        at: utc(runs.at[point.run]),
      };
      Object.keys(columns).forEach((name) => columns[name].push(row[name]));
    }
    const first = Math.min(...along);
    const last = Math.max(...along);
    const room = (last - first) * 0.02 || (state.along === "time" ? 3.6e6 : 1);
    const marks = told.changes
      .filter(([place]) => xOf.has(place))
      .map(([place, text, verdict]) => ({ x: xOf.get(place), text, colour: VERDICT_COLOURS[verdict] }));
    const labels = labelsOf(marks, first, last, chart.holder.clientWidth - 90);
    const rows = Math.max(0, ...labels.map((label) => label.row + 1));
    const [low, high] = told.limits;
    const top = high + (high - low) * 0.065 * rows;
    source(plot, "points").selected.indices = [];
    source(plot, "points").data = columns;
    source(plot, "levels").data = levelLine(told, xOf, gaps);
    source(plot, "changes").data = {
      ...Object.fromEntries(["x", "text", "colour", "align", "offset"].map((name) => [name, labels.map((each) => each[name])])),
      y: heightsOf(labels, plot),
    };
    chart.labels = labels;
    plot.y_range.setv({ start: low, end: top, reset_start: low, reset_end: top });
    layAxes(plot, shown, along);
    plot.x_range.setv({ start: first - room, end: last + room, reset_start: first - room, reset_end: last + room });
  }

  function weight(point) {
    return (point.isMain ? 2 : 0) + (point.isFinal ? 1 : 0) + (point.failed ? 4 : 0);
  }

  function layAxes(plot, shown, along) {
    const byTime = plot.below.find((axis) => axis.name === "by time");
    const byCommit = plot.below.find((axis) => axis.name === "by commit");
    const isTime = state.along === "time";
    const ticks = Math.max(2, Math.floor((plot.inner_width ?? 800) / TICK_PX));
    [byTime, byCommit].forEach((axis) => axis.ticker.setv({ desired_num_ticks: ticks }));
    byTime.visible = isTime;
    byCommit.visible = !isTime;
    plot.center.filter((each) => each.dimension === 0).forEach((grid) => grid.setv({ axis: isTime ? byTime : byCommit }));
    if (!isTime) {
      const labels = new Map();
      shown.forEach((point, index) => {
        const day = utc(runs.order[point.run]).slice(5, 10);
        labels.set(along[index], `${day}\n${(runs.sha[point.run] ?? "").slice(0, 7)}`);
      });
      byCommit.major_label_overrides = labels;
    }
  }

  function link(url, text) {
    const made = document.createElement(url ? "a" : "span");
    made.textContent = text;
    if (url) {
      made.href = url;
      made.rel = "noopener noreferrer";
    }
    return made;
  }

  function pick(chart, at) {
    const point = chart.points[at];
    const parts = [
      link(jobUrl(point.job) ?? runUrl(point.run), `run ${runText(point)}`),
      runs.pull[point.run] ? link(pullUrl(point.run), `pull request #${runs.pull[point.run]}`) : null,
      runs.sha[point.run] ? link(`${data.home}/commit/${runs.sha[point.run]}`, runs.sha[point.run].slice(0, 7)) : null,
    ].filter(Boolean);
    const value = document.createElement("b");
    value.textContent = valueText(point.value, chart.unit);
    const words = document.createElement("bdi");
    words.textContent = [named(runs.title, point.run), named(runs.author, point.run), runnerText(point), outcomeText(point), `${utc(runs.at[point.run])} UTC`]
      .filter(Boolean)
      .join(" · ");
    const text = document.createElement("p");
    text.append(value, ...parts.flatMap((part) => [" · ", part]), document.createElement("br"), words);
    chart.card.querySelector("p")?.remove();
    chart.card.append(text);
    chart.at = at;
  }

  function step(chart, by) {
    const shown = chart.points.filter((point) => state.branches || point.isMain);
    const now = shown.findIndex((point) => point.place === chart.at);
    const next = now < 0 ? shown.length - 1 : Math.min(shown.length - 1, Math.max(0, now + by));
    const points = source(chart.plot, "points");
    points.selected.indices = [points.data.place.indexOf(shown[next].place)];
  }

  function addSteps(chart) {
    for (const [text, by] of [["‹ older", -1], ["newer ›", 1]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.addEventListener("click", () => step(chart, by));
      chart.card.append(button);
    }
    const selected = source(chart.plot, "points").selected;
    selected.properties.indices.change.connect(() => {
      const [first] = selected.indices;
      if (first !== undefined) {
        pick(chart, source(chart.plot, "points").data.place[first]);
      }
    });
  }

  function showAll(chart, button) {
    const values = chart.points.map((point) => point.value);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const room = (high - low) * 0.06 || 1;
    button.addEventListener("click", () => chart.plot.y_range.setv({ start: low - room, end: high + room }));
    button.hidden = false;
  }

  const SHAPES = { circle: "●", square: "■", triangle: "▲", diamond: "◆", inverted_triangle: "▼", hex: "⬢" };
  function legend(chart) {
    const list = document.createElement("ul");
    list.className = "key";
    const add = (...parts) => {
      const item = document.createElement("li");
      item.append(...parts);
      list.append(item);
    };
    const told = (name) => {
      const text = document.createElement("bdi");
      text.textContent = name;
      return text;
    };
    const swatch = (kind, colour) => {
      const drawn = document.createElement("span");
      drawn.className = kind;
      drawn.style.setProperty("--series", colour);
      return drawn;
    };
    const pools = [...new Set(chart.points.map((point) => jobs.pool[point.job]))].sort((a, b) => a - b);
    pools.forEach((pool) => add(swatch("swatch", data.colours[pool]), told(data.pools[pool] || "pool not told")));
    chart.markers.forEach((marker, runner) => add(`${SHAPES[marker]} `, told(jobs.runner.texts[runner])));
    const kinds = [
      [`● ${data.branch}`, (point) => point.isMain],
      ["○ other branch", (point) => !point.isMain],
      ["× failed", (point) => point.failed],
      ["• earlier try", (point) => !point.isFinal],
    ];
    kinds.filter(([, has]) => chart.points.some(has)).forEach(([text]) => add(told(text)));
    if (chart.told.levels.length) {
      add(swatch("stroke", ""), "fitted level");
    }
    chart.holder.closest("figure").querySelector("figcaption").before(list);
  }

  function draw(holder) {
    const key = holder.dataset.chart;
    if (charts.has(key)) {
      return;
    }
    const told = data.series[key];
    const points = pointsOf(key);
    const figureOf = holder.closest("figure");
    const chart = {
      holder,
      points,
      told: { ...told, searched: new Set(points.filter((point) => point.isMain && point.isFinal).map((point) => point.place)) },
      card: figureOf.querySelector(".picked"),
      all: figureOf.querySelector("button.all"),
      unit: holder.dataset.unit,
      markers: markersOf(points),
      at: -1,
    };
    charts.set(key, chart);
    const item = JSON.parse(figure.replace(/"(p-\d+)"/g, `"${key}-$1"`));
    Bokeh.embed.embed_item(item, holder).then((views) => {
      const [view] = views.roots ?? views;
      begin(chart, view.model);
    });
  }

  function begin(chart, plot) {
    chart.plot = plot;
    if (window.matchMedia("(pointer: coarse)").matches) {
      // A finger scrolls the page; the buttons of the toolbar zoom.
      plot.toolbar.tools.filter((tool) => tool.type === "BoxZoomTool").forEach((tool) => tool.setv({ active: false }));
    }
    plot.left.forEach((axis) => axis.setv({ axis_label: chart.unit || chart.holder.dataset.metric }));
    fill(chart);
    plot.properties.inner_height.change.connect(() => {
      const changes = source(plot, "changes");
      changes.data = { ...changes.data, y: heightsOf(chart.labels, plot) };
    });
    legend(chart);
    addSteps(chart);
    if (chart.all) {
      showAll(chart, chart.all);
    }
    chart.holder.style.minHeight = "";
    chart.holder.dataset.drawn = "yes";
  }

  // How all charts are looked at: along "commit" or "time", with or without other branches.
  function look(along, branches) {
    state.along = along;
    state.branches = branches;
    for (const chart of charts.values()) {
      if (chart.plot) {
        fill(chart);
      }
    }
  }

  // A canvas keeps the width of the screen: on paper it is made as small as the page is.
  const PAPER_PX = 640;
  function fitPaper(isPaper) {
    for (const { holder } of charts.values()) {
      const width = holder.clientWidth;
      const isWide = isPaper && width > PAPER_PX;
      holder.style.width = isWide ? `${width}px` : "";
      holder.style.zoom = isWide ? PAPER_PX / width : "";
    }
  }
  window.addEventListener("beforeprint", () => fitPaper(true));
  window.addEventListener("afterprint", () => fitPaper(false));

  window.perfCharts = { draw, look };
})();
