// The sheet in #sheet -> one question at a time, a reader's choices, and their files. Texts are only ever set as text.
"use strict";
(() => {
  const sheet = JSON.parse(document.getElementById("sheet").textContent), app = document.getElementById("app");
  const FORMAT = "clincot-choices-1", KEY = `clincot-sheet ${sheet.sheet}`;
  const CHOICES = { A: "A is better (a)", B: "B is better (b)", same: "no difference (s)", unsure: "I cannot judge (u)" };
  const state = { at: 0, reader: "", choices: {}, ...kept() };

  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  };
  const text = (value) => make("bdi", { dir: "auto" }, String(value));

  function kept() {
    try {
      const found = JSON.parse(localStorage.getItem(KEY) ?? "{}");
      return { reader: String(found.reader ?? ""), choices: { ...found.choices } };
    } catch {
      return {};  // a browser that keeps nothing for a file
    }
  }

  function store() {
    try {
      localStorage.setItem(KEY, JSON.stringify({ reader: state.reader, choices: state.choices }));
    } catch { /* the choices last as long as the page is open */ }
    const done = sheet.items.filter((item) => state.choices[item.number]?.choice).length;
    status.textContent = `${done} of ${sheet.items.length} answered`;
    for (const button of [json, csv]) button.disabled = !done;
  }

  const status = make("span", { role: "status" });
  const json = make("button", { type: "button", onclick: () => save("json", JSON.stringify({ format: FORMAT, sheet: sheet.sheet, reader: state.reader, choices: rows() }, null, 1)) }, "Download choices");
  const csv = make("button", { type: "button", onclick: () => save("csv", [["sheet", "reader", "item", "choice", "comment"],
    ...rows().map((row) => [sheet.sheet, state.reader, row.item, row.choice, row.comment])].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n") }, "as CSV");
  // A cell that begins like a formula would be run by a table program.
  const cell = (value) => `"${String(value).replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;
  const rows = () => sheet.items.filter((item) => state.choices[item.number]?.choice)
    .map((item) => ({ item: item.number, choice: state.choices[item.number].choice, comment: state.choices[item.number].comment ?? "" }));

  function save(ending, content) {
    const url = URL.createObjectURL(new Blob([content], { type: ending === "json" ? "application/json" : "text/csv" }));
    const name = state.reader.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 40) || "reader";
    make("a", { href: url, download: `choices-${sheet.sheet}-${name}.${ending}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  function choose(choice) {
    const number = sheet.items[state.at].number;
    state.choices[number] = { ...state.choices[number], choice };
    store();
    draw();
  }

  function go(by) {
    const next = state.at + by;
    if (next < 0 || next >= sheet.items.length) return;
    state.at = next;
    draw();
    question.querySelector("h2").focus();
  }

  const question = make("div");
  function draw() {
    const item = sheet.items[state.at], mine = state.choices[item.number] ?? {};
    const focused = question.contains(document.activeElement) ? document.activeElement.id : "";
    const comment = make("input", { id: "comment", class: "comment", "aria-label": "Comment", placeholder: "comment", maxlength: "1000",
      oninput: () => { state.choices[item.number] = { ...state.choices[item.number], comment: comment.value }; store(); } });
    comment.value = mine.comment ?? "";
    question.replaceChildren(
      make("h2", { tabindex: "-1" }, `${item.number}. `, text(item.question)),
      make("div", { class: "images" }, ...item.images.map((name, i) => make("img", { src: sheet.images[name], alt: `Image ${i + 1} of the question` }))),
      item.reference === undefined ? "" : make("p", {}, "reference: ", text(item.reference)),
      make("div", { class: "answers" }, ...["A", "B"].map((letter) => make("section", { class: "answer", "aria-label": `Answer ${letter}` },
        make("strong", {}, letter), make("div", { class: "text", tabindex: "0", role: "group", "aria-label": `Text of answer ${letter}` }, text(item[letter]))))),
      make("fieldset", {}, make("legend", {}, "Your choice"), ...Object.entries(CHOICES).map(([value, label]) => make("label", {},
        make("input", { type: "radio", name: "choice", id: `choice-${value}`, value, checked: mine.choice === value, onchange: () => choose(value) }), ` ${label}`))),
      make("div", { class: "row" }, make("button", { type: "button", id: "back", disabled: state.at === 0, onclick: () => go(-1) }, "back (k)"),
        make("button", { type: "button", id: "next", disabled: state.at === sheet.items.length - 1, onclick: () => go(1) }, "next (j)"), comment));
    if (focused) document.getElementById(focused)?.focus();
  }

  const reader = make("input", { id: "reader", autocomplete: "off", maxlength: "100", oninput: () => { state.reader = reader.value; store(); } });
  reader.value = state.reader;
  app.append(make("div", { class: "row" }, make("label", { for: "reader" }, "Your name or a code "), reader, status, json, csv), question,
    make("p", { class: "small" }, "The browser keeps your choices. Send back the file of choices; nothing is sent by itself."));
  app.hidden = false;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=radio])")) return;
    const choice = { a: "A", b: "B", s: "same", u: "unsure" }[event.key];
    if (choice) choose(choice);
    else if (event.key === "j") go(1);
    else if (event.key === "k") go(-1);
  });
  const open = sheet.items.findIndex((item) => !state.choices[item.number]?.choice);
  state.at = Math.max(0, open);
  store();
  draw();
})();
