// The round in window.clincotRound -> a list with filters and one pair in full; texts are only ever set as text.
"use strict";
(() => {
  const round = window.clincotRound, app = document.getElementById("app"), STEP = 200;
  const state = { shown: [], at: -1, drawn: 0, boxes: true };
  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  };
  const text = (value) => make("bdi", { dir: "auto" }, value === null || value === undefined ? "–" : String(value));
  const number = (value) => (value === null || value === undefined ? "–" : value.toFixed(3));
  const gap = (one) => one.chosen.score === null || one.rejected.score === null ? null : one.chosen.score - one.rejected.score;
  const disagreement = (one) => Math.max(0, ...one.candidates.filter((c) => c.side && c.judges.length > 1).map((c) => {
    const own = c.judges.map((j) => j.own).filter((value) => value !== null);
    return own.length > 1 ? Math.max(...own) - Math.min(...own) : 0;
  }));
  const hypotheses = (one) => [one.chosen.region, one.rejected.region].filter(Boolean).map((region) => region.hypothesis);
  const words = (one) => [one.id, one.question, one.gold, one.chosen.text, one.rejected.text,
    ...one.candidates.map((c) => c.text)].join("\n").toLowerCase();
  round.entries.forEach((one) => Object.assign(one, { gap: gap(one), disagreement: disagreement(one), words: words(one) }));

  const distinct = (of) => [...new Set(round.entries.flatMap(of))].filter((value) => value !== "").sort();
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
    "longest text first": (a, b) => b.chosen.text.length + b.rejected.text.length - a.chosen.text.length - a.rejected.text.length,
  };
  const order = make("select", { onchange: () => filter() }, ...Object.keys(ORDERS).map((name) => make("option", {}, name)));
  const filters = make("form", { class: "filters", "aria-label": "Filters", onsubmit: (event) => event.preventDefault() },
    field("text", "text (press /)", make("input", { type: "search", oninput: () => filter() }), true),
    field("hypothesis", "hypothesis", choice(distinct(hypotheses))), field("kind", "kind of question", choice(distinct((one) => [one.kind]))),
    field("step", "step", choice(distinct((one) => [one.step]))), field("method", "method", choice(distinct((one) => [one.method]))),
    field("least", "gap at least", limit()), field("most", "gap at most", limit()),
    field("apart", "judges apart by at least", limit()), field("order", "order", order));
  const count = make("p", { class: "small", role: "status" });
  const list = make("ol", { class: "list" });
  const detail = make("main", { tabindex: "-1", "aria-label": "The pair" });
  app.append(make("nav", { "aria-label": "Pairs" }, filters, count, list,
    make("p", { class: "small" }, "Keys: j and k or the arrows go on and back, b shows or hides regions, / searches.")), detail);
  app.hidden = false;

  function passes(one) {
    const value = (name) => control[name].value;
    const beyond = (name, number, least) => value(name) === "" || (number !== null && (least ? number >= +value(name) : number <= +value(name)));
    return one.words.includes(value("text").toLowerCase()) && (!value("hypothesis") || hypotheses(one).includes(value("hypothesis")))
      && (!value("kind") || one.kind === value("kind")) && (!value("step") || String(one.step) === value("step"))
      && (!value("method") || one.method === value("method")) && beyond("least", one.gap, true) && beyond("most", one.gap, false)
      && beyond("apart", one.disagreement, true);
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
        make("span", { class: "small" }, `step ${one.step} · gap ${number(one.gap)}`)));
    }));
    state.drawn += next.length;
  }
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
    detail.replaceChildren(...(one ? parts(one) : [make("p", {}, "No pair passes the filters.")]));
    if (one && linked) history.replaceState(null, "", `#${encodeURIComponent(one.id)}`);
  }

  function outline(region, name) {
    const [left, upper, right, lower] = region.box, NS = "http://www.w3.org/2000/svg";
    const rect = document.createElementNS(NS, "rect"), title = document.createElementNS(NS, "title");
    title.textContent = `${name ? `${name}: ` : ""}${region.hypothesis}, ${number(region.confidence)}`;
    for (const [key, value] of Object.entries({ x: left, y: upper, width: right - left, height: lower - upper, class: name })) rect.setAttribute(key, value);
    rect.append(title);
    return rect;
  }

  function drawn(one, image, i) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${image.width} ${image.height}`);
    svg.setAttribute("aria-hidden", "true");
    if (i === 0 && state.boxes) {
      svg.append(...one.regions.map((region) => outline(region, "")));
      for (const name of ["rejected", "chosen"]) if (one[name].region) svg.append(outline(one[name].region, name));
    }
    return make("figure", {}, make("div", { class: "drawn" }, make("img", { src: image.file, alt: `Image ${i + 1} of the question`, loading: "lazy" }), svg));
  }

  function side(one, name) {
    const own = one[name];
    const facts = [`score ${number(own.score)}`, own.region ? `region ${own.region.hypothesis} (${number(own.region.confidence)})` : null,
      own.finish ? `ended by ${own.finish}` : null].filter(Boolean).join(" · ");
    return make("section", { class: `side ${name}` }, make("h2", {}, name), make("div", { class: "text", tabindex: "0" }, text(own.text)),
      make("p", { class: "small" }, facts),
      make("div", { class: "images" }, ...own.images.map((image) => make("figure", { class: "crop" },
        make("img", { src: image.file, alt: `What the policy saw for the ${name} text`, loading: "lazy" })))));
  }

  function candidates(one) {
    if (!one.candidates.length) return null;
    const judges = one.candidates[0].judges.map((j) => j.judge);
    const header = ["side", "text", "region", ...judges.flatMap((judge) => [judge, "its look-ahead score"]), "consensus", "ended by"];
    const rows = one.candidates.map((c) => make("tr", { class: c.side || null },
      make("td", {}, c.side || c.source), make("td", {}, make("div", { class: "text" }, text(c.text)),
        ...c.lookahead.map((next) => make("div", { class: "small" }, "next: ", text(next)))),
      make("td", {}, c.region ? text(`${c.region.hypothesis} ${number(c.region.confidence)}`) : "–"),
      ...judges.flatMap((_, i) => [make("td", {}, number(c.judges[i]?.own)), make("td", {}, number(c.judges[i]?.next))]),
      make("td", {}, number(c.score)), make("td", {}, c.finish || "–")));
    return make("section", {}, make("h2", {}, "All candidates of this step"), make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Candidates" },
      make("table", {}, make("thead", {}, make("tr", {}, ...header.map((name) => make("th", { scope: "col" }, text(name))))), make("tbody", {}, ...rows))));
  }

  function parts(one) {
    const toggle = make("button", { type: "button", "aria-pressed": String(state.boxes), onclick: boxes }, "regions (b)");
    return [make("h2", {}, text(one.question)),
      make("p", { class: "small" }, text(`${one.id} · step ${one.step} · ${one.method}${one.kind ? ` · ${one.kind}` : ""}`)),
      make("p", {}, "gold answer: ", text(one.gold)),
      one.findings.length ? make("p", {}, "chain so far: ", text(one.findings.join(" → "))) : null,
      make("div", { class: "images" }, ...one.images.map((image, i) => drawn(one, image, i))),
      one.regions.length || one.chosen.region ? make("p", {}, toggle, " ", make("span", { class: "small" }, one.regions.map((r) => `${r.hypothesis} ${number(r.confidence)}`).join(", "))) : null,
      make("div", { class: "sides" }, side(one, "chosen"), side(one, "rejected")), candidates(one),
      make("details", {}, make("summary", {}, "prompt"), make("div", { class: "text", tabindex: "0" }, text(one.prompt)))].filter(Boolean);
  }

  function boxes() {
    state.boxes = !state.boxes;
    show(state.at, false);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select, textarea")) { if (event.key === "Escape") event.target.blur(); return; }
    const move = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (move && !(event.key.startsWith("Arrow") && event.target.matches(".text, .wide"))) {
      event.preventDefault();
      const next = state.at + move;
      if (next >= 0 && next < state.shown.length) show(next, true);
    } else if (event.key === "b") boxes();
    else if (event.key === "/") { event.preventDefault(); control.text.focus(); }
  });
  window.addEventListener("hashchange", () => filter(decodeURIComponent(location.hash.slice(1))));
  filter(decodeURIComponent(location.hash.slice(1)));
})();
