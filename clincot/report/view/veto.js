// Pairs that a reader marks -> a veto file for `clincot pair --exclude`; marks are kept by the browser until then.
"use strict";
(() => {
  const view = window.clincotView, { make } = view, round = window.clincotRound;
  const FORMAT = "clincot-veto-1", KEY = `clincot-veto ${round.name} ${round.dataset ?? ""}`;
  const ids = new Set(round.entries.map((one) => one.id));
  const vetoes = new Map(kept());
  const status = make("span", { class: "small", role: "status" });
  let changed = () => {};

  function kept() {
    try {
      return JSON.parse(localStorage.getItem(KEY) ?? "[]").filter(([id, reason]) => ids.has(id) && typeof reason === "string");
    } catch {
      return [];  // a browser that keeps nothing for a file, or something else under this name
    }
  }

  function store() {
    try {
      localStorage.setItem(KEY, JSON.stringify([...vetoes]));
    } catch { /* the marks last as long as the page is open */ }
  }

  function keep() {
    store();
    say("");
    changed();
  }

  function say(problem) {
    status.textContent = problem || `${vetoes.size} vetoed`;
    download.disabled = vetoes.size === 0;
  }

  const download = make("button", { type: "button", onclick: () => {
    const file = { format: FORMAT, round: round.round ?? null, dataset: round.dataset ?? "",
      pairs: round.entries.filter((one) => vetoes.has(one.id)).map((one) => ({ id: one.id, reason: vetoes.get(one.id) })) };
    const url = URL.createObjectURL(new Blob([JSON.stringify(file, null, 1)], { type: "application/json" }));
    make("a", { href: url, download: `veto-round-${round.round ?? "x"}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  } }, "Download veto file");

  const chosen = make("input", { type: "file", accept: ".json,application/json", id: "veto-file", onchange: async () => {
    const [file] = chosen.files;
    if (!file) return;
    let found = null;
    try {
      found = JSON.parse(await file.text());
    } catch { /* no JSON: found stays empty */ }
    chosen.value = "";
    if (found?.format !== FORMAT || !Array.isArray(found.pairs)) return say("That is no veto file.");
    const own = found.pairs.filter((one) => ids.has(one?.id));
    own.forEach((one) => vetoes.set(one.id, String(one.reason ?? "")));
    keep();
    if (own.length < found.pairs.length) say(`${vetoes.size} vetoed; ${found.pairs.length - own.length} pairs of the file are not on this page`);
  } });

  function toggle(one) {
    if (vetoes.has(one.id)) vetoes.delete(one.id);
    else vetoes.set(one.id, "");
    keep();
  }

  function vetoOf(one) {
    const marked = vetoes.has(one.id);
    const button = make("button", { type: "button", "aria-pressed": String(marked), onclick: () => toggle(one) }, "veto (v)");
    const reason = make("input", { type: "text", maxlength: "500", "aria-label": "Reason of the veto", placeholder: "reason",
      onchange: () => { vetoes.set(one.id, reason.value); store(); } });
    reason.value = vetoes.get(one.id) ?? "";
    return make("p", { class: "veto" }, button, marked ? " " : null, marked ? reason : null);
  }

  const panel = make("div", { class: "vetoes", role: "group", "aria-label": "Vetoes" }, status, " ", download, " ",
    make("label", { for: "veto-file" }, "load a veto file ", chosen));
  say("");
  Object.assign(view, { vetoOf, toggleVeto: toggle, vetoed: (one) => vetoes.has(one.id), vetoPanel: panel,
    onVeto: (callback) => { changed = callback; } });
})();
