"use strict";
// Arrow keys in grids of jobs by runs: one cell of a grid is in the order of the tab key, arrows go to its neighbours.
(() => {
  const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

  const bind = (table) => {
    const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.querySelector("a")));
    const links = rows.flat().filter((link) => link !== null);
    if (links.length === 0 || table.dataset.bound) return;
    table.dataset.bound = "true";
    let current = rows.flatMap((row) => row.slice(1)).find((link) => link) ?? links[0];
    for (const link of links) link.tabIndex = link === current ? 0 : -1;

    const enter = (link) => {
      current.tabIndex = -1;
      current = link;
      current.tabIndex = 0;
    };
    const place = (link) => {
      const row = rows.findIndex((each) => each.includes(link));
      return [row, rows[row].indexOf(link)];
    };
    // The next link in a direction, past cells without one.
    const next = ([row, column], [down, right]) => {
      for (;;) {
        row += down;
        column += right;
        if (row < 0 || row >= rows.length || column < 0 || column >= rows[row].length) return null;
        if (rows[row][column]) return rows[row][column];
      }
    };
    const end = (event, link) => {
      const all = event.ctrlKey ? links : rows[place(link)[0]].filter((each) => each);
      return event.key === "Home" ? all[0] : all[all.length - 1];
    };

    table.addEventListener("focusin", (event) => {
      const link = event.target.closest("a");
      if (link && links.includes(link)) enter(link);
    });
    table.addEventListener("keydown", (event) => {
      const link = event.target.closest("a");
      if (!link || event.altKey || event.metaKey || event.shiftKey) return;
      const step = STEPS[event.key];
      const target = step ? next(place(link), step) : event.key === "Home" || event.key === "End" ? end(event, link) : null;
      if (!step && target === null) return;
      event.preventDefault();
      if (target) target.focus();
    });
  };

  document.querySelectorAll("table[data-matrix]").forEach(bind);
})();
