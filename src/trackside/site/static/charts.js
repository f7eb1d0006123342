"use strict";

// Charts of a page: each <div class="plot" data-plot="ID"> is drawn from the figure in
// <script type="application/json" data-chart="ID"> when it comes near the window, in the colours of the theme.
//
// For scripts of pages: trackside.chart(ID) draws it and gives a promise of its Bokeh figure, null where there is none.
(() => {
  const site = (window.trackside ??= {});
  if (site.chart) {
    return;
  }
  const NEAR = "300px";
  const drawn = new Map();
  const holders = new Map(Array.from(document.querySelectorAll(".plot[data-plot]"), (one) => [one.dataset.plot, one]));

  function colourOf(name) {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  }

  function paint(figures) {
    const [muted, rule] = [colourOf("--muted"), colourOf("--rule")];
    for (const figure of figures) {
      for (const axis of ["above", "below", "left", "right"].flatMap((side) => figure[side] ?? [])) {
        if (axis.major_label_text_color !== undefined) {
          axis.setv({ axis_label_text_color: muted, major_label_text_color: muted, axis_line_color: rule, major_tick_line_color: rule });
        } else if (axis.label_text_color !== undefined) {
          axis.setv({ label_text_color: muted });
        }
      }
      (figure.center ?? []).forEach((grid) => grid.grid_line_color !== undefined && grid.setv({ grid_line_color: rule }));
    }
  }

  function figuresOf(view) {
    const models = view.model.references ? Array.from(view.model.references()) : [view.model];
    return models.filter((model) => model.below !== undefined && model.center !== undefined);
  }

  async function embed(id) {
    const holder = holders.get(id);
    const block = document.querySelector(`script[data-chart="${CSS.escape(id)}"]`);
    if (!holder || !block) {
      return null;
    }
    const views = await Bokeh.embed.embed_item(JSON.parse(block.textContent), holder);
    const [view] = views.roots ?? views;
    const figures = figuresOf(view);
    paint(figures);
    document.addEventListener("trackside:theme", () => paint(figures));
    holder.dataset.drawn = "yes";
    return view.model;
  }

  function draw(id) {
    if (!drawn.has(id)) {
      drawn.set(id, embed(id));
    }
    return drawn.get(id);
  }

  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting) {
          watcher.unobserve(target);
          draw(target.dataset.plot);
        }
      }
    },
    { rootMargin: NEAR },
  );
  holders.forEach((holder) => watcher.observe(holder));
  window.addEventListener("beforeprint", () => holders.forEach((_, id) => draw(id)));
  site.chart = draw;
})();
