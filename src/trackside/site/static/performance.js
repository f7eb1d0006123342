"use strict";

// The pictures of series: which are shown is chosen by words, job, metric and how a series stands, and is in the address.
(() => {
  const form = document.getElementById("series-tools");
  if (!form) {
    return;
  }
  const { address } = window.trackside;
  const NAME = "series";
  const fields = form.elements;
  const holder = document.getElementById("tiles");
  const found = form.querySelector("output");
  const everything = form.querySelector("button[type=reset]");
  const text = (tile, part) => tile.querySelector(part).textContent;
  const tiles = Array.from(document.querySelectorAll("#tiles .tile"), (tile) => ({
    tile,
    job: text(tile, ".job"),
    metric: text(tile, ".metric"),
    standings: tile.dataset.standing.split(" "),
    leads: "leads" in tile.dataset,
    names: [".job", ".test"].map((part) => text(tile, part)).join("\n").toLowerCase(),
  }));
  let isTyping = false;
  const groups = Array.from(document.querySelectorAll("#tiles > section"), (section) => ({
    section,
    extent: section.querySelector("h3 small"),
    fold: section.querySelector("details"),
    isOurs: false,
  }));

  function chosen() {
    const asked = (name) => address.get(`${NAME}.${name}`) ?? "";
    const known = (name) => (fields[name] && Array.from(fields[name].options).some((option) => option.value === asked(name)) ? asked(name) : "");
    const words = asked("q").toLowerCase().split(/\s+/).filter(Boolean);
    const [standing, job, metric] = ["standing", "job", "metric"].map(known);
    const all = asked("all") === "1";
    // One series stands for a test, where no metric of it is asked for.
    const isOfMetric = (one) => words.some((word) => one.metric.toLowerCase().includes(word) && !one.names.includes(word));
    return { words, standing, job, metric, all, every: (one) => all || metric !== "" || isOfMetric(one) };
  }

  function isShown(one, wanted) {
    return (
      (one.leads || wanted.every(one)) &&
      (!wanted.standing || one.standings.includes(wanted.standing)) &&
      (!wanted.job || one.job === wanted.job) &&
      (!wanted.metric || one.metric === wanted.metric) &&
      wanted.words.every((word) => one.names.includes(word) || one.metric.toLowerCase().includes(word))
    );
  }

  // What is looked for is unfolded, and folded again where we unfolded it.
  function unfold(group, isAsked) {
    if (!group.fold) {
      return;
    }
    if (isAsked && !group.fold.open) {
      group.fold.open = true;
      group.isOurs = true;
    } else if (!isAsked && group.isOurs) {
      group.fold.open = false;
      group.isOurs = false;
    }
  }

  function extentOf(shown) {
    const tests = new Set(shown.map((tile) => `${text(tile, ".job")}\n${text(tile, ".test")}`)).size;
    const count = (number, noun) => `${number.toLocaleString("en")} ${noun}`;
    return `${count(tests, tests === 1 ? "test" : "tests")}, ${count(shown.length, "series")}`;
  }

  function sift() {
    const wanted = chosen();
    let count = 0;
    holder.classList.toggle("every", tiles.some((one) => wanted.every(one)));
    for (const one of tiles) {
      one.tile.hidden = !isShown(one, wanted);
      count += one.tile.hidden ? 0 : 1;
    }
    const isAsked = wanted.words.length > 0 || Boolean(wanted.standing || wanted.job || wanted.metric);
    for (const group of groups) {
      const shown = Array.from(group.section.querySelectorAll(".tile:not([hidden])"));
      group.section.hidden = shown.length === 0;
      group.extent.textContent = extentOf(shown);
      unfold(group, isAsked && shown.length > 0);
    }
    found.textContent = `${count.toLocaleString("en")} of ${tiles.length.toLocaleString("en")} series`;
    everything.hidden = !isAsked;
    for (const select of form.querySelectorAll("select")) {
      select.value = wanted[select.name];
    }
    if (fields.all) {
      fields.all.checked = wanted.all;
    }
    // While it is typed into, the box has the word; else the address has, wherever the focus is.
    if (!isTyping) {
      fields.q.value = address.get(`${NAME}.q`) ?? "";
    }
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", ({ target }) => {
    const value = target.type === "checkbox" ? (target.checked ? "1" : "") : target.value;
    isTyping = target === fields.q;
    address.set({ [`${NAME}.${target.name}`]: value || null }, isTyping ? `${NAME}.q` : "");
    isTyping = false;
  });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    fields.q.value = "";
    address.set(Object.fromEntries(["q", "standing", "job", "metric"].map((name) => [`${NAME}.${name}`, null])));
    fields.q.focus();
  });
  document.addEventListener("trackside:address", sift);
  form.hidden = false;
  sift();
})();
