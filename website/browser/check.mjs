// Opens every page of the built site, wide and narrow, light and dark, and prints what is wrong, one finding a line.
// stdin: {"browser": path, "root": folder of the HTML, "pages": only those that begin so, "searches": [{"words": what is typed, "page": what is wanted}]}
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import AxeBuilder from "@axe-core/playwright";
import { launch, pagesOf, serve } from "./pages.mjs";
import { searched } from "./search.mjs";

const FIRST_PAGE_BYTES = 300_000;
const AT_ONCE = 2;
const { browser: executablePath, root, pages, searches } = JSON.parse(readFileSync(0, "utf8"));
const found = new Set();
const report = (what) => {
  if (!found.has(what)) console.log(what);
  found.add(what);
};
const ids = new Map(); // of each page
const links = []; // [page, target]
let transferred = 0;

const look = async (context, address, path) => {
  const page = await context.newPage();
  const say = (what) => report(`/${path}: ${what}`);
  page.on("console", (message) => message.type() === "error" && say(`console: ${message.text()}`));
  page.on("pageerror", (error) => say(`script: ${error.message}`));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(address)) say(`asks ${request.url()}`);
  });
  if (path === "") page.on("response", async (response) => (transferred += gzipSync(await response.body()).length));
  await page.goto(address + path, { waitUntil: "load" });
  const seen = await page.evaluate(() => ({
    ids: [...document.querySelectorAll("[id]")].map((element) => element.id),
    links: [...document.querySelectorAll("a[href]"), ...document.images].map((link) => link.href ?? link.src),
    headings: document.querySelectorAll("h1").length,
    described: Boolean(document.title && document.querySelector("meta[name=description]")?.content),
    undrawn: [...document.querySelectorAll(".diagram svg")].filter((svg) => svg.querySelectorAll(".node").length < 2).length,
    unreadable: document.querySelectorAll("pre.mermaid, code.language-mermaid").length,
  }));
  ids.set(path, new Set(seen.ids));
  links.push(...seen.links.filter((link) => link.startsWith(address)).map((link) => [path, link.slice(address.length)]));
  if (seen.headings !== 1) say(`${seen.headings} headings of level 1`);
  if (!seen.described) say("no title or description");
  if (seen.undrawn || seen.unreadable) say("a diagram is not drawn");
  for (const [width, scheme] of [[1280, "light"], [375, "dark"], [375, "light"], [1280, "dark"]]) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme: scheme });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (over > 0) say(`${over} px too wide at ${width} px, ${scheme}`);
    // Once everything; then what depends on colours and width: two of the four see it.
    if ((width === 1280) === (scheme === "light")) {
      const builder = new AxeBuilder({ page }).options({ resultTypes: ["violations"] });
      if (scheme === "light") builder.withTags(["wcag2a", "wcag2aa"]);
      else builder.withRules(["color-contrast", "scrollable-region-focusable", "target-size"]);
      const axe = await builder.analyze();
      for (const { id, impact, nodes } of axe.violations) {
        if (impact === "serious" || impact === "critical")
          say(`${id} (${width} px, ${scheme}), ${nodes.length} times: ${nodes[0].html.slice(0, 160)}`);
      }
    }
  }
  await page.close();
};

const site = await serve(root);
const browser = await launch(executablePath);
const every = pagesOf(root);
const waiting = every.filter((page) => !pages.length || pages.some((begin) => page.startsWith(begin)));
const count = waiting.length;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    const context = await browser.newContext();
    for (let path; (path = waiting.shift()) !== undefined; ) await look(context, site.address, path);
    await context.close();
  }),
);
for (const [page, link] of links) {
  const [path, anchor] = decodeURIComponent(link).split("#");
  const there = ids.get(path.replace(/\?.*$/, ""));
  if (!there && !existsSync(join(root, path, path.endsWith("/") ? "index.html" : "")))
    report(`/${page}: link to ${link}, which does not exist`);
  if (there && anchor && !there.has(anchor) && !anchor.startsWith("__")) report(`/${page}: no anchor ${link}`);
}
if (transferred > FIRST_PAGE_BYTES) report(`/: ${transferred} bytes compressed, at most ${FIRST_PAGE_BYTES}`);
for (const what of await searched(browser, site.address, searches)) report(what);
await browser.close();
site.close();
console.error(`${count} pages, first page ${transferred} bytes compressed, ${found.size} findings`);
process.exitCode = found.size ? 1 : 0;
