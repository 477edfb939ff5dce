// Draws mermaid diagrams as SVG without colours of its own: theme/site.css has them, light and dark.
// stdin: {"browser": path, "diagrams": [{"to": file, "text": mermaid}]}
import { readFileSync, writeFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { slim } from "./outlines.mjs";

const COLUMN = 900; // pixels that a page has for a diagram, at four fifths of its size
// What labels have if nothing else is said: site.css says it once.
const LABEL = { display: "table-cell", "white-space": "nowrap", "line-height": "1.5", "max-width": "200px", "text-align": "center", width: "" };

const { browser: executablePath, diagrams } = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage();
await page.setContent('<!doctype html><meta charset="utf-8"><body></body>');
await page.addScriptTag({ path: new URL("./node_modules/mermaid/dist/mermaid.min.js", import.meta.url).pathname });
await page.evaluate(() =>
  mermaid.initialize({
    startOnLoad: false,
    theme: "base",
    // Wide on every system, so that words fit their boxes wherever they are read.
    themeVariables: { fontFamily: 'Arial, "Liberation Sans", Helvetica, sans-serif', fontSize: "15px" },
    flowchart: { htmlLabels: true, padding: 10, nodeSpacing: 28, rankSpacing: 36, wrappingWidth: 170 },
  }),
);

for (const { to, text } of diagrams) {
  const id = `diagram-${to.split("/").pop().slice(0, 8)}`;
  const svg = await page.evaluate(
    async ([id, text, column, label]) => {
      const rendered = async (words) => {
        const { svg } = await mermaid.render(id, words);
        return new DOMParser().parseFromString(svg, "text/html").querySelector("svg");
      };
      const sizeOf = (svg) => svg.getAttribute("viewBox").split(" ").slice(2).map(Number);
      let root = await rendered(text);
      if (sizeOf(root)[0] > column) {
        // Wider than a page: words would be too small. From top to bottom it may fit.
        const other = await rendered(text.replace(/^flowchart LR/m, "flowchart TB"));
        if (sizeOf(other)[0] < sizeOf(root)[0]) root = other;
      }
      root.querySelectorAll("style, filter, linearGradient").forEach((element) => element.remove());
      const drawn = root.outerHTML;
      root.querySelectorAll("marker").forEach((marker) => drawn.includes(`url(#${marker.id})`) || marker.remove());
      root.querySelectorAll("[style]").forEach((element) => {
        const kept = Object.entries(label)
          .map(([name, usual]) => [name, element.style.getPropertyValue(name), usual])
          .filter(([, value, usual]) => value && value !== usual)
          .map(([name, value]) => `${name}: ${value}`);
        element.removeAttribute("style");
        if (kept.length) element.setAttribute("style", kept.join("; "));
      });
      root.querySelectorAll("[id]:not(marker)").forEach((element) => element.removeAttribute("id"));
      root.querySelectorAll("[class]").forEach((element) => element.setAttribute("class", [...element.classList].join(" ")));
      root.querySelectorAll("*").forEach((element) => {
        [...element.attributes].filter(({ name }) => name.startsWith("data-")).forEach(({ name }) => element.removeAttribute(name));
      });
      root.removeAttribute("style");
      const [width, height] = sizeOf(root);
      root.setAttribute("width", Math.ceil(width));
      root.setAttribute("height", Math.ceil(height));
      ["role", "aria-roledescription"].forEach((name) => root.removeAttribute(name));
      root.setAttribute("aria-hidden", "true");
      // Within a page of HTML everything is known by its tag.
      return root.outerHTML.replace(/\s*\n\s*/g, " ").replace(/ xmlns="[^"]*"/g, "");
    },
    [id, text, COLUMN, LABEL],
  );
  writeFileSync(to, slim(svg));
}
await browser.close();
