"use strict";

(() => {
  const axis = JSON.parse(document.getElementById("time-axis").textContent);
  const documents = new Map();
  for (const block of document.querySelectorAll("script[data-document]")) {
    documents.set(block.dataset.document, block);
  }
  const timelines = new Map();
  const started = new Map();
  const visible = new Set();
  let shared = null;

  function timeOf(x) {
    return axis.zeroMs + x * axis.unitMs;
  }

  function addLoggedTime(plot) {
    for (const renderer of plot.renderers) {
      const source = renderer.data_source;
      const x = source && source.data.x;
      if (x) {
        source.data.wall = Float64Array.from(x, timeOf);
      }
    }
  }

  function show(plot, range) {
    const own = plot.x_range;
    if (own.start !== range.start || own.end !== range.end) {
      own.setv({ start: range.start, end: range.end });
    }
    plot.extra_x_ranges.clock.setv({ start: timeOf(range.start), end: timeOf(range.end) });
  }

  let waiting = false;
  function share(plot) {
    const { start, end } = plot.x_range;
    if (shared && shared.start === start && shared.end === end) {
      return;
    }
    shared = { start, end };
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        for (const [holder, other] of timelines) {
          if (visible.has(holder)) {
            show(other, shared);
          }
        }
      });
    }
  }

  function link(holder, plot) {
    addLoggedTime(plot);
    timelines.set(holder, plot);
    if (shared) {
      show(plot, shared);
    }
    plot.x_range.change.connect(() => share(plot));
  }

  function toggle(plot, holder) {
    const lines = plot.renderers.filter((renderer) => renderer.name !== "band");
    const bands = plot.renderers.filter((renderer) => renderer.name === "band");
    const figure = holder.closest("figure");
    const buttons = [];

    function isOn(button) {
      return button.getAttribute("aria-pressed") === "true";
    }

    function setOn(at, on) {
      buttons[at].setAttribute("aria-pressed", String(on));
      lines[at].visible = on;
      if (bands.length === lines.length) {
        bands[at].visible = on;
      }
    }

    for (const label of figure.querySelectorAll("bdi.series")) {
      const at = Number(label.dataset.series);
      const button = document.createElement("button");
      button.type = "button";
      button.className = "series";
      button.setAttribute("aria-pressed", "true");
      button.title = "Show or hide this series; with Shift: this one alone, or all again";
      label.replaceWith(button);
      button.append(label);
      buttons[at] = button;
      button.addEventListener("click", (event) => {
        if (event.shiftKey) {
          const alone = buttons.every((other, index) => (index === at) === isOn(other));
          buttons.forEach((_, index) => setOn(index, alone || index === at));
        } else {
          setOn(at, !isOn(button));
        }
      });
    }
  }

  function draw(holder) {
    const key = holder.dataset.chart;
    if (started.has(key)) {
      return started.get(key);
    }
    const block = documents.get(key);
    if (!block) {
      return Promise.resolve();
    }
    const item = JSON.parse(block.textContent);
    const drawing = Bokeh.embed.embed_item(item, holder).then((views) => {
      const [view] = views.roots ?? views;
      const plot = view.model;
      holder.style.minHeight = "";
      if (plot.name === "timeline") {
        link(holder, plot);
        toggle(plot, holder);
      }
      holder.dataset.drawn = "yes";
    });
    started.set(key, drawing);
    return drawing;
  }

  const holders = Array.from(document.querySelectorAll(".plot[data-chart]"));
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) {
          visible.add(entry.target);
          const plot = timelines.get(entry.target);
          if (plot && shared) {
            show(plot, shared);
          }
          draw(entry.target);
        } else {
          visible.delete(entry.target);
        }
      }
    },
    { rootMargin: "300px" },
  );
  holders.forEach((holder) => watcher.observe(holder));

  const later = window.requestIdleCallback ?? ((work) => setTimeout(work, 60));
  function drawRest() {
    const next = holders.find((holder) => !started.has(holder.dataset.chart) && holder.offsetParent !== null);
    if (next) {
      draw(next).then(() => later(drawRest));
    } else {
      document.documentElement.dataset.ready = "yes";
    }
  }
  window.addEventListener("load", () => later(drawRest));
  window.addEventListener("beforeprint", () => holders.forEach(draw));
})();
