"use strict";

// The charts of a test are drawn when they come near; how they are looked at is in the address.
(() => {
  const form = document.getElementById("chart-tools");
  const { address } = window.trackside;
  const fields = form.elements;

  function look() {
    const isTime = address.get("chart.along") === "time";
    const hasBranches = address.get("chart.branches") !== "off";
    fields.along.value = isTime ? "time" : "";
    fields.branches.checked = hasBranches;
    window.perfCharts.look(isTime ? "time" : "commit", hasBranches);
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => {
    address.set({ "chart.along": fields.along.value || null, "chart.branches": fields.branches.checked ? null : "off" });
  });
  document.addEventListener("trackside:address", look);
  form.hidden = false;
  look();

  // What an address leads to is unfolded.
  function unfold() {
    const target = document.getElementById(location.hash.slice(1));
    const fold = target?.closest("details");
    if (fold && !fold.open) {
      fold.open = true;
      target.scrollIntoView();
    }
  }
  window.addEventListener("hashchange", unfold);

  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting) {
          near.unobserve(target);
          window.perfCharts.draw(target);
        }
      }
    },
    { rootMargin: "400px" },
  );
  document.querySelectorAll(".plot[data-chart]").forEach((holder) => near.observe(holder));
  unfold();
})();
