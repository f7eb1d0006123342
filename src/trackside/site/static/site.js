"use strict";

// What every page does: light or dark, what is chosen in the address, local times, how old the data are, and whether
// newer ones are here.
//
// For scripts of pages: trackside.address.get(name), and set({ name: text or null }, typing), a step for back and
// forward; with typing, the name of a field, further steps of it take the place of the first. Events at the document:
// "trackside:address" after each change of it; "trackside:theme" after a change of colours; "trackside:site" when
// data/site.json was read (its document is event.detail), which happens only where the site is served.
(() => {
  const HOUR_MS = 3_600_000;
  const REFRESH_MS = 300_000;
  const root = document.documentElement;
  const site = (window.trackside ??= {});
  if (site.isServed !== undefined) {
    return;
  }
  site.isServed = location.protocol.startsWith("http");

  // ---- light or dark

  function kept(theme) {
    try {
      if (theme) {
        localStorage.setItem("trackside-theme", theme);
      }
      return localStorage.getItem("trackside-theme");
    } catch {
      return null; // Storage may be forbidden: then the choice holds for this page.
    }
  }

  const chosen = kept();
  if (chosen === "light" || chosen === "dark") {
    root.dataset.theme = chosen;
  }

  function addTheme() {
    const button = document.getElementById("theme");
    const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
    const told = () => {
      button.textContent = isDark() ? "Light" : "Dark";
      button.setAttribute("aria-label", `${isDark() ? "Light" : "Dark"} theme`);
      document.dispatchEvent(new Event("trackside:theme"));
    };
    prefersDark.addEventListener("change", told);
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      kept(root.dataset.theme);
      told();
    });
    button.hidden = false;
    told();
  }

  // ---- the address

  let typed = "";

  function setAddress(changes, typing = "") {
    const query = new URLSearchParams(location.search);
    const before = query.toString();
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === undefined) {
        query.delete(name);
      } else {
        query.set(name, value);
      }
    }
    const search = query.toString();
    if (search !== before) {
      const way = typing !== "" && typing === typed ? "replaceState" : "pushState";
      try {
        history[way](null, "", `${location.pathname}${search && "?"}${search}${location.hash}`);
      } catch {
        // Browsers forbid too many steps in a short time: what is chosen is shown without standing in the address.
      }
    }
    typed = typing;
    document.dispatchEvent(new Event("trackside:address"));
  }

  site.address = { get: (name) => new URLSearchParams(location.search).get(name), set: setAddress };
  window.addEventListener("popstate", () => {
    typed = "";
    document.dispatchEvent(new Event("trackside:address"));
  });

  // ---- times

  function zoneAt(moment) {
    const minutes = -moment.getTimezoneOffset();
    const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
    return `UTC${minutes < 0 ? "−" : "+"}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
  }

  function localTime(moment) {
    const two = (number) => String(number).padStart(2, "0");
    const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
    return `${day} ${two(moment.getHours())}:${two(moment.getMinutes())}`;
  }

  function tellLocalTime(event) {
    const time = event.target.closest?.("time[datetime]:not([title])");
    const moment = time ? new Date(time.dateTime) : null;
    if (moment && !Number.isNaN(moment.getTime())) {
      const utc = moment.toISOString().slice(0, 19).replace("T", " ");
      time.title = `${localTime(moment)} here (${zoneAt(moment)}), ${utc} UTC`;
    }
  }

  function addClock() {
    const now = new Date();
    document.getElementById("clock").textContent = ` · times are UTC, here is ${zoneAt(now)}`;
    document.addEventListener("pointerover", tellLocalTime);
    document.addEventListener("focusin", tellLocalTime);
  }

  // ---- banners

  function banner(id, text, ...more) {
    const made = document.createElement("p");
    made.className = "banner";
    made.id = id;
    made.append(text, ...more);
    document.getElementById(id)?.remove();
    document.getElementById("banners").append(made);
  }

  function tellStale() {
    const synced = Date.parse(document.body.dataset.synced ?? "");
    const age = Date.now() - synced;
    if (age > 2 * HOUR_MS * Number(document.body.dataset.intervalHours)) {
      const hours = Math.floor(age / HOUR_MS);
      const ago = hours < 72 ? `${hours} hours` : `${Math.floor(hours / 24)} days`;
      banner("stale", `The last sync was ${ago} ago: what happened since is not here.`);
    }
  }

  // ---- newer data

  let seen = null;

  async function readSite() {
    let told;
    try {
      const answer = await fetch(`${document.body.dataset.root}data/site.json`, { cache: "no-store" });
      told = answer.ok ? await answer.json() : null;
    } catch {
      told = null; // The server is away for a moment; it is asked again.
    }
    if (told === null || typeof told !== "object") {
      return;
    }
    site.told = told;
    document.dispatchEvent(new CustomEvent("trackside:site", { detail: told }));
    const mine = JSON.stringify(told.pages?.[document.body.dataset.page] ?? null);
    if (seen === null && Date.parse(told.until) - Date.parse(document.body.dataset.until) >= 1000) {
      offer(); // The page came out of a cache: taking it away might bring it again and again.
    } else if (seen !== null && told.generated_at !== seen.at && mine !== seen.mine) {
      renew();
    }
    seen ??= { at: told.generated_at, mine };
  }

  // A page that is typed into is not taken away; any other comes again with the state in its address.
  function renew() {
    if (document.activeElement?.matches("input, select, textarea")) {
      offer();
    } else {
      location.reload();
    }
  }

  function offer() {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Show them";
    button.addEventListener("click", () => location.reload());
    banner("newer", "Newer data are here. ", button);
  }

  function watch() {
    if (site.isServed) {
      readSite();
      setInterval(readSite, REFRESH_MS);
    }
  }

  // ---- loading

  function tellLoadTime() {
    const [load] = performance.getEntriesByType("navigation");
    const seconds = (load?.loadEventEnd ?? 0) / 1000;
    if (seconds > 0) {
      document.getElementById("load-time").textContent = ` · loaded in ${seconds.toFixed(2)} s`;
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    addTheme();
    addClock();
    tellStale();
    watch();
  });
  window.addEventListener("load", () => {
    root.dataset.ready = "yes";
    setTimeout(tellLoadTime);
  });
})();
