// One pair of the round -> its part of the page: image with regions and heat map, both sides, all candidates.
"use strict";
(() => {
  const view = window.clincotView, { make, draw, text, number } = view, round = window.clincotRound;
  const state = { outlines: true, map: "" };

  function outline(region, name) {
    const [left, upper, right, lower] = region.box;
    const faded = state.map && region.hypothesis !== state.map ? " faded" : "";
    return draw("rect", { x: left, y: upper, width: right - left, height: lower - upper, class: `${name}${faded}` },
      draw("title", {}, `${name ? `${name}: ` : ""}${region.hypothesis}, ${number(region.confidence)}`));
  }

  const mapsOf = (one) => round.maps?.[one.image] ?? {};

  function drawn(one, image, i) {
    const layers = [make("img", { src: image.file, alt: `Image ${i + 1} of the question`, loading: "lazy" })];
    const map = i === 0 ? mapsOf(one)[state.map] : null;
    if (map) layers.push(make("img", { class: "map", src: map, alt: `Heat map of ${state.map}` }));
    const svg = draw("svg", { viewBox: `0 0 ${image.width} ${image.height}`, "aria-hidden": "true" });
    if (i === 0 && state.outlines) {
      svg.append(...one.regions.filter((region) => region.box.length).map((region) => outline(region, "")));
      for (const name of ["rejected", "chosen"]) if (one[name].region) svg.append(outline(one[name].region, name));
    }
    return make("figure", {}, make("div", { class: "drawn" }, ...layers, svg));
  }

  // One button a hypothesis: it shows or hides its heat map; without a map its region and confidence are read alone.
  function hypotheses(one, again) {
    const maps = mapsOf(one), named = new Map();
    for (const region of one.regions) named.set(region.hypothesis, [...(named.get(region.hypothesis) ?? []), region]);
    const said = (found) => `${number(found[0].confidence)}${found.some((region) => region.box.length) ? "" : ", no region"}`;
    const toggles = [...named].map(([name, found]) => maps[name]
      ? make("button", { type: "button", class: "map-toggle", "aria-pressed": String(state.map === name),
          onclick: () => { state.map = state.map === name ? "" : name; again(); } }, text(name), ` ${said(found)}`)
      : make("span", { class: "small" }, text(name), ` ${said(found)}`));
    const regions = make("button", { type: "button", "aria-pressed": String(state.outlines), onclick: () => outlines(again) }, "regions (b)");
    const shown = Object.keys(maps).length ? "heat map (h): " : "hypotheses: ";
    return named.size || one.chosen.region
      ? make("div", { class: "toggles", role: "group", "aria-label": "Regions and heat maps" }, regions, named.size ? make("span", { class: "small" }, shown) : null, ...toggles)
      : null;
  }

  function outlines(again) {
    state.outlines = !state.outlines;
    again();
  }

  // The next heat map of the pair, and none after the last one.
  function nextMap(one, again) {
    const names = one.regions.map((region) => region.hypothesis).filter((name, i, all) => mapsOf(one)[name] && all.indexOf(name) === i);
    state.map = names[names.indexOf(state.map) + 1] ?? "";
    again();
  }

  function side(one, name) {
    const own = one[name];
    const facts = [`score ${number(own.score)}`, own.region ? `region ${own.region.hypothesis} (${number(own.region.confidence)})` : null,
      own.finish ? `ended by ${own.finish}` : null].filter(Boolean).join(" · ");
    return make("section", { class: `side ${name}` }, make("h2", {}, name), make("div", { class: "text", tabindex: "0" }, text(own.text)),
      make("p", { class: "small" }, text(facts)),
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

  function parts(one, again) {
    return [make("h2", {}, text(one.question)),
      make("p", { class: "small" }, text(`${one.id} · step ${one.step} · ${one.method}${one.kind ? ` · ${one.kind}` : ""}`)),
      make("p", {}, "gold answer: ", text(one.gold)),
      one.findings.length ? make("p", {}, "chain so far: ", text(one.findings.join(" → "))) : null,
      view.vetoOf(one, again),
      make("div", { class: "images" }, ...one.images.map((image, i) => drawn(one, image, i))),
      hypotheses(one, again),
      make("div", { class: "sides" }, side(one, "chosen"), side(one, "rejected")), candidates(one),
      make("details", {}, make("summary", {}, "prompt"), make("div", { class: "text", tabindex: "0" }, text(one.prompt)))].filter(Boolean);
  }

  Object.assign(view, { parts, outlines, nextMap });
})();
