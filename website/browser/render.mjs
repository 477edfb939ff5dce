// Draws mermaid diagrams as SVG without colours of its own: theme/site.css has them, light and dark.
// stdin: {"browser": path, "diagrams": [{"to": file, "text": mermaid}]}
import { readFileSync, writeFileSync } from "node:fs";
import { chromium } from "playwright-core";

const { browser: executablePath, diagrams } = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage();
await page.setContent('<!doctype html><meta charset="utf-8"><body></body>');
await page.addScriptTag({ path: new URL("../node_modules/mermaid/dist/mermaid.min.js", import.meta.url).pathname });
await page.evaluate(() =>
  mermaid.initialize({
    startOnLoad: false,
    theme: "base",
    // Wide on every system, so that words fit their boxes wherever they are read.
    themeVariables: { fontFamily: 'Arial, "Liberation Sans", Helvetica, sans-serif', fontSize: "15px" },
    flowchart: { htmlLabels: true, padding: 12, nodeSpacing: 32, rankSpacing: 44, wrappingWidth: 190 },
  }),
);

let number = 0;
for (const { to, text } of diagrams) {
  const id = `diagram-${to.split("/").pop().slice(0, 8)}-${number++}`;
  const svg = await page.evaluate(
    async ([id, text]) => {
      const { svg } = await mermaid.render(id, text);
      const root = new DOMParser().parseFromString(svg, "text/html").querySelector("svg");
      root.querySelectorAll("style").forEach((style) => style.remove());
      root.querySelectorAll("[style]").forEach((element) => {
        const kept = ["display", "white-space", "line-height", "max-width", "text-align", "width"]
          .map((name) => [name, element.style.getPropertyValue(name)])
          .filter(([, value]) => value);
        element.removeAttribute("style");
        if (element !== root && kept.length)
          element.setAttribute("style", kept.map(([name, value]) => `${name}: ${value}`).join("; "));
      });
      const [, , width, height] = root.getAttribute("viewBox").split(" ").map(Number);
      root.setAttribute("width", Math.ceil(width));
      root.setAttribute("height", Math.ceil(height));
      ["role", "aria-roledescription"].forEach((name) => root.removeAttribute(name));
      root.setAttribute("aria-hidden", "true");
      return root.outerHTML.replace(/\s*\n\s*/g, " ");
    },
    [id, text],
  );
  writeFileSync(to, svg);
}
await browser.close();
