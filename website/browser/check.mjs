// Opens every page of the built site, wide and narrow, light and dark, and prints what is wrong, one finding a line.
// stdin: {"browser": path, "root": folder of the HTML, "problems": {phrase: page}, "search": {words: page#anchor}}
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import AxeBuilder from "@axe-core/playwright";
import { launch, pagesOf, serve } from "./pages.mjs";
import { searched } from "./search.mjs";

const FIRST_PAGE_BYTES = 300_000;
const AT_ONCE = 2;
const { browser: executablePath, root, searches } = JSON.parse(readFileSync(0, "utf8"));
const found = [];
const ids = new Map(); // of each page
const links = []; // [page, target]
let transferred = 0;

const look = async (context, address, path) => {
  const page = await context.newPage();
  const say = (what) => found.push(`/${path}: ${what}`);
  page.on("console", (message) => message.type() === "error" && say(`console: ${message.text()}`));
  page.on("pageerror", (error) => say(`script: ${error.message}`));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(address)) say(`asks ${request.url()}`);
  });
  if (path === "") page.on("response", async (response) => (transferred += gzipSync(await response.body()).length));
  await page.goto(address + path, { waitUntil: "load" });
  const seen = await page.evaluate(() => ({
    ids: [...document.querySelectorAll("[id]")].map((element) => element.id),
    links: [...document.querySelectorAll("a[href]")].map((link) => link.href),
    headings: document.querySelectorAll("h1").length,
    described: Boolean(document.title && document.querySelector("meta[name=description]")?.content),
    undrawn: [...document.querySelectorAll(".diagram svg")].filter((svg) => svg.querySelectorAll(".node").length < 2).length,
    unreadable: document.querySelectorAll("pre.mermaid, code.language-mermaid").length,
    broken: [...document.images].filter((image) => image.complete && !image.naturalWidth).map((image) => image.src),
  }));
  ids.set(path, new Set(seen.ids));
  links.push(...seen.links.filter((link) => link.startsWith(address)).map((link) => [path, link.slice(address.length)]));
  if (seen.headings !== 1) say(`${seen.headings} headings of level 1`);
  if (!seen.described) say("no title or description");
  if (seen.undrawn || seen.unreadable) say("a diagram is not drawn");
  for (const image of seen.broken) say(`picture ${image}`);
  for (const [width, scheme] of [[1280, "light"], [375, "dark"], [375, "light"], [1280, "dark"]]) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme: scheme });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (over > 0) say(`${over} px too wide at ${width} px, ${scheme}`);
    // Colours do not depend on the width, nor what is missing on the colours: two of the four see everything.
    if ((width === 1280) === (scheme === "light")) {
      const axe = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa"]).analyze();
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
const waiting = pagesOf(root);
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
  if (!there && !/\.(png|svg|txt|xml)$/.test(path)) found.push(`/${page}: link to ${link}, which is no page`);
  if (there && anchor && !there.has(anchor) && !anchor.startsWith("__")) found.push(`/${page}: no anchor ${link}`);
}
if (transferred > FIRST_PAGE_BYTES) found.push(`/: ${transferred} bytes compressed, at most ${FIRST_PAGE_BYTES}`);
found.push(...(await searched(browser, site.address, searches)));
await browser.close();
site.close();
for (const line of new Set(found)) console.log(line);
console.error(`${count} pages, first page ${transferred} bytes compressed, ${found.length} findings`);
process.exitCode = found.length ? 1 : 0;
