// What the scripts of the page share: elements, texts and numbers. Texts are only ever set as text.
"use strict";
window.clincotView = (() => {
  const SVG = "http://www.w3.org/2000/svg";

  function filled(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== null && value !== false && value !== undefined) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  }

  return {
    make: (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children),
    draw: (tag, attributes = {}, ...children) => filled(document.createElementNS(SVG, tag), attributes, children),
    text: (value) => filled(document.createElement("bdi"), { dir: "auto" }, [value === null || value === undefined ? "–" : String(value)]),
    number: (value) => (value === null || value === undefined ? "–" : value.toFixed(3)),
  };
})();
