"use strict";

// Numbers as Python writes them: a tie goes to the even digit.
(() => {
  const site = (window.trackside ??= {});
  if (site.agentNumbers) {
    return;
  }

  function fixed(value, digits) {
    const step = 10 ** digits;
    const ties = value * step * 2;
    const isTie = Number.isInteger(value * 2 ** (digits + 1)) && Number.isInteger(ties) && ties % 2 !== 0;
    const text = isTie ? (2 * Math.round(ties / 4) / step).toFixed(digits) : value.toFixed(digits);
    const [whole, rest] = text.split(".");
    return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest ? `.${rest}` : "");
  }

  const rounded = (value, digits) => Number(fixed(value, digits).replaceAll(",", ""));
  const many = (count) => count.toLocaleString("en");
  const counted = (count, noun) => `${many(count)} ${noun}${count === 1 ? "" : "s"}`;
  const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

  // 45 s, 12.5 min or 3.2 h: the limits are where the unit before would be rounded to 60.
  function length(seconds) {
    if (!isNumber(seconds)) {
      return "–";
    }
    if (seconds < 59.5) {
      return `${fixed(seconds, 0)} s`;
    }
    return seconds < 3597 ? `${fixed(seconds / 60, 1)} min` : `${fixed(seconds / 3600, 1)} h`;
  }

  site.agentNumbers = { fixed, rounded, many, counted, isNumber, length };
})();
