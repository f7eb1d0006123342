"use strict";

(() => {
  const root = document.documentElement;
  // The inside of a closed series stands as text in a noscript, so that the page opens at once: it is read when opened.
  function unfold(details) {
    const body = details.querySelector(".body");
    const folded = body.querySelector("noscript");
    if (folded) {
      body.innerHTML = folded.textContent;
    }
  }

  function draw(details) {
    unfold(details);
    window.perfCharts.draw(details.querySelector(".plot[data-chart]"));
  }

  const all = Array.from(document.querySelectorAll("details.series"));
  for (const details of all) {
    details.addEventListener("toggle", () => {
      if (details.open) {
        draw(details);
        details.scrollIntoView({ block: "nearest" });
      }
    });
  }

  function openTarget() {
    let id = "";
    try {
      id = decodeURIComponent(location.hash.slice(1));
    } catch {
      return;
    }
    // A change stands in the part of its series that is read when that is opened.
    const row = `<tr id="${id}">`;
    const holds = (each) => each.querySelector(".body > noscript")?.textContent.includes(row);
    const details = document.getElementById(id)?.closest("details.series") ?? (id && all.find(holds));
    if (details) {
      for (let each = details; each; each = each.parentElement) {
        each.hidden = false;
        if (each.localName === "details") {
          each.open = true;
        }
      }
      draw(details);
      document.getElementById(id).scrollIntoView();
    }
  }

  const tools = document.querySelector("form.tools");
  if (tools) {
    const textOf = (details, parts) =>
      Array.from(details.querySelectorAll(parts), (each) => each.textContent)
        .join(" ")
        .toLowerCase();
    const words = new Map(all.map((details) => [details, textOf(details, ".job, .test, .metric")]));
    const folds = Array.from(document.querySelectorAll("details.more"), (more) => {
      const inside = Array.from(more.querySelectorAll("details.series"));
      return { more, inside, test: textOf(inside[0], ".job, .test"), left: more.querySelector(".left"), isOurs: false };
    });
    const find = document.getElementById("find");
    const every = document.getElementById("every");
    const changed = document.getElementById("changed");
    const along = document.getElementById("along");
    const branches = document.getElementById("branches");
    const found = document.getElementById("found");

    function isShown(details, wanted) {
      const counts = every === null || every.checked || "established" in details.dataset || "changed" in details.dataset;
      return (
        counts &&
        (!changed.checked || "changed" in details.dataset) &&
        wanted.every((word) => words.get(details).includes(word))
      );
    }

    // What was found behind a card is unfolded, where it is not found for the name of its test alone.
    function unfoldFound({ more, inside, test, left, isOurs }, wanted) {
      const found = inside.filter((each) => !each.hidden).length;
      left.textContent = found === inside.length ? `${found}` : `${found} of ${inside.length}`;
      more.hidden = found === 0;
      if (found && !more.open && !wanted.every((word) => test.includes(word))) {
        more.open = true;
        return true;
      }
      if (isOurs && !wanted.length && !inside.some((each) => each.open)) {
        more.open = false;
      }
      return isOurs && wanted.length > 0;
    }

    function extentOf(group) {
      const series = `${group.querySelectorAll("details.series:not([hidden])").length.toLocaleString("en")} series`;
      const cells = Array.from(group.querySelectorAll(".cell:not([hidden])"), (each) => each.dataset.test);
      const tests = new Set(cells).size;
      return tests ? `${tests.toLocaleString("en")} test${tests === 1 ? "" : "s"}, ${series}` : series;
    }

    function sift() {
      const wanted = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const details of all) {
        const on = isShown(details, wanted);
        details.hidden = !on;
        count += on ? 1 : 0;
      }
      for (const fold of folds) {
        fold.isOurs = unfoldFound(fold, wanted);
      }
      for (const part of document.querySelectorAll(".cell, .cause, section.group")) {
        const shown = part.querySelectorAll("details.series:not([hidden])").length;
        part.hidden = shown === 0;
        part.classList.toggle("one", shown === 1);
      }
      for (const part of document.querySelectorAll(".cause:not([hidden]), section.group:not([hidden])")) {
        part.querySelector("small").textContent = extentOf(part);
      }
      found.textContent = `${count.toLocaleString("en")} of ${all.length.toLocaleString("en")} series`;
    }

    function refill() {
      window.perfCharts.look(along.value, branches.checked);
    }

    tools.addEventListener("submit", (event) => event.preventDefault());
    tools.addEventListener("input", sift);
    along.addEventListener("change", refill);
    branches.addEventListener("change", refill);
    tools.hidden = false;
    refill();
    sift();
  }

  window.addEventListener("hashchange", openTarget);
  openTarget();
  root.dataset.ready = "yes";
})();
