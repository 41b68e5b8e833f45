// The round in window.clincotRound -> a list with filters and orders, keys, addresses, and one pair in full.
"use strict";
(() => {
  const view = window.clincotView, { make, text, number } = view;
  const round = window.clincotRound, app = document.getElementById("app"), STEP = 200;
  const state = { shown: [], at: -1, drawn: 0 };
  const gap = (one) => one.chosen.score === null || one.rejected.score === null ? null : one.chosen.score - one.rejected.score;
  const disagreement = (one) => Math.max(0, ...one.candidates.filter((c) => c.side && c.judges.length > 1).map((c) => {
    const own = c.judges.map((j) => j.own).filter((value) => value !== null);
    return own.length > 1 ? Math.max(...own) - Math.min(...own) : 0;
  }));
  const hypotheses = (one) => [one.chosen.region, one.rejected.region].filter(Boolean).map((region) => region.hypothesis);
  const words = (one) => [one.id, one.question, one.gold, one.chosen.text, one.rejected.text,
    ...one.candidates.map((c) => c.text)].join("\n").toLowerCase();
  round.entries.forEach((one) => Object.assign(one, { gap: gap(one), disagreement: disagreement(one), words: words(one) }));

  const distinct = (of) => [...new Set(round.entries.flatMap(of))].filter((value) => value !== "")
    .sort((a, b) => String(a).localeCompare(String(b), "en", { numeric: true }));
  const control = {};
  const field = (name, label, input, whole) => {
    control[name] = input;
    input.id = `filter-${name}`;
    return make("label", { for: input.id, class: whole ? "whole" : null }, label, input);
  };
  const choice = (values) => make("select", { onchange: () => filter() }, make("option", { value: "" }, "all"),
    ...values.map((value) => make("option", { value: String(value) }, String(value))));
  const limit = () => make("input", { type: "number", min: "0", max: "1", step: "0.05", oninput: () => filter() });
  const ORDERS = {
    "as built": () => 0,
    "largest gap first": (a, b) => (b.gap ?? -1) - (a.gap ?? -1),
    "smallest gap first": (a, b) => (a.gap ?? 2) - (b.gap ?? 2),
    "judges disagree most": (a, b) => b.disagreement - a.disagreement,
    "lowest chosen score first": (a, b) => (a.chosen.score ?? 2) - (b.chosen.score ?? 2),
    "longest text first": (a, b) => b.chosen.text.length + b.rejected.text.length - a.chosen.text.length - a.rejected.text.length,
  };
  const order = make("select", { onchange: () => filter() }, ...Object.keys(ORDERS).map((name) => make("option", {}, name)));
  const filters = make("form", { class: "filters", "aria-label": "Filters", onsubmit: (event) => event.preventDefault() },
    field("text", "text (press /)", make("input", { type: "search", oninput: () => filter() }), true),
    field("hypothesis", "hypothesis", choice(distinct(hypotheses))), field("kind", "kind of question", choice(distinct((one) => [one.kind]))),
    field("step", "step", choice(distinct((one) => [one.step]))), field("method", "method", choice(distinct((one) => [one.method]))),
    field("least", "gap at least", limit()), field("most", "gap at most", limit()),
    field("apart", "judges apart by at least", limit()), field("vetoed", "vetoes", choice(["vetoed", "not vetoed"])),
    field("order", "order", order, true));
  const count = make("p", { class: "small", role: "status" });
  const list = make("ol", { class: "list" });
  const detail = make("main", { tabindex: "-1", "aria-label": "The pair" });
  app.append(make("nav", { "aria-label": "Pairs" }, filters, count, list, view.vetoPanel,
    make("p", { class: "small" }, "Keys: j and k or the arrows go on and back, b shows or hides regions, h the next heat map, v vetoes, / searches.")), detail);
  app.hidden = false;

  function passes(one) {
    const value = (name) => control[name].value;
    const beyond = (name, number, least) => value(name) === "" || (number !== null && (least ? number >= +value(name) : number <= +value(name)));
    return one.words.includes(value("text").toLowerCase()) && (!value("hypothesis") || hypotheses(one).includes(value("hypothesis")))
      && (!value("kind") || one.kind === value("kind")) && (!value("step") || String(one.step) === value("step"))
      && (!value("method") || one.method === value("method")) && beyond("least", one.gap, true) && beyond("most", one.gap, false)
      && beyond("apart", one.disagreement, true) && (!value("vetoed") || (value("vetoed") === "vetoed") === view.vetoed(one));
  }

  function filter(wanted) {
    const kept = wanted ?? state.shown[state.at]?.id;
    state.shown = round.entries.filter(passes);
    if (order.value !== "as built") state.shown = [...state.shown].sort(ORDERS[order.value]);
    list.replaceChildren();
    state.drawn = 0;
    count.textContent = `${state.shown.length} of ${round.entries.length} pairs`;
    more();
    show(Math.max(0, state.shown.findIndex((one) => one.id === kept)), false);
  }

  function more() {
    const next = state.shown.slice(state.drawn, state.drawn + STEP);
    list.append(...next.map((one, i) => {
      const at = state.drawn + i;
      return make("li", {}, make("button", { type: "button", onclick: () => show(at, true) },
        make("span", { class: "cut" }, text(one.question.slice(0, 300))),
        make("span", { class: "small" }, facts(one))));
    }));
    state.drawn += next.length;
  }
  const facts = (one) => `step ${one.step} · gap ${number(one.gap)}${view.vetoed(one) ? " · vetoed" : ""}`;
  list.addEventListener("scroll", () => {
    if (list.scrollTop + list.clientHeight > list.scrollHeight - 400) more();
  });

  function show(at, linked) {
    state.at = at;
    const one = state.shown[at];
    while (at >= state.drawn && state.drawn < state.shown.length) more();
    list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    const button = list.children[at]?.firstChild;
    button?.setAttribute("aria-current", "true");
    if (button) {  // within the list alone: scrollIntoView would move the page too
      const top = button.offsetTop - list.offsetTop, low = top + button.offsetHeight;
      if (top < list.scrollTop) list.scrollTop = top;
      else if (low > list.scrollTop + list.clientHeight) list.scrollTop = low - list.clientHeight;
    }
    draw();
    if (one && linked) history.replaceState(null, "", `#${encodeURIComponent(one.id)}`);
  }

  // The pair in full, anew; what had the focus has it again.
  function draw() {
    const one = state.shown[state.at], focused = focusable().indexOf(document.activeElement);
    detail.replaceChildren(...(one ? view.parts(one, draw) : [make("p", {}, "No pair passes the filters.")]));
    if (focused >= 0) focusable()[focused]?.focus();
  }
  const focusable = () => [...detail.querySelectorAll("button, input, [tabindex]")];

  view.onVeto(() => {
    if (control.vetoed.value) return filter();
    const button = list.children[state.at]?.firstChild;
    if (button) button.lastChild.textContent = facts(state.shown[state.at]);
    draw();
  });

  // An address names a pair: filters that hide it are reset.
  function follow() {
    let id = location.hash.slice(1);
    try {
      id = decodeURIComponent(id);
    } catch { /* an address that somebody cut: it names no pair */ }
    const named = round.entries.find((one) => one.id === id);
    if (named && !passes(named)) filters.reset();
    filter(id);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select, textarea")) { if (event.key === "Escape") event.target.blur(); return; }
    const one = state.shown[state.at], move = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (move && !(event.key.startsWith("Arrow") && event.target.matches(".text, .wide"))) {
      event.preventDefault();
      const next = state.at + move;
      if (next >= 0 && next < state.shown.length) show(next, true);
    } else if (event.key === "/") { event.preventDefault(); control.text.focus(); }
    else if (!one) return;
    else if (event.key === "b") view.outlines(draw);
    else if (event.key === "h") view.nextMap(one, draw);
    else if (event.key === "v") view.toggleVeto(one);
  });
  window.addEventListener("hashchange", follow);
  follow();
})();
