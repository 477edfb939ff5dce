// Opens every page of the built site, once, wide and narrow, light and dark, and prints what is wrong, one finding a line.
// stdin: {"browser": path, "root": folder of the HTML, "pages": only those that begin so,
//   "searches": [{"words": what is typed, "page": what is wanted}], "commands": {page: the command on it}}
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import axe from "axe-core";
import { launch, pagesOf, serve, settled } from "./pages.mjs";
import { searched } from "./search.mjs";
import { used } from "./use.mjs";

const FIRST_PAGE_BYTES = 300_000;
const { browser: executablePath, root, pages, searches, commands } = JSON.parse(readFileSync(0, "utf8"));
const found = new Set();
const report = (what) => {
  if (!found.has(what)) console.log(what);
  found.add(what);
};
const ids = new Map(); // of each page
const links = []; // [page, target]
let transferred = 0;

// A page is loaded wide in one scheme, by turns, and everything is examined. Then the visitor's system changes to the other
// one, the window becomes narrow, and what depends on that is examined in what only this page has.
const SCHEMES = [["light", "dark"], ["dark", "light"]];
const LOADED = { width: 1280, rules: ["wcag2a", "wcag2aa"], within: "html" };
const CHANGED = { width: 375, rules: ["color-contrast", "scrollable-region-focusable", "target-size"], within: "article" };

// One page for all addresses that a worker looks at.
const looker = async (browser, address) => {
  const context = await browser.newContext();
  // The theme reads the index of the search in a worker, for each page anew: search.mjs looks at that, once.
  await context.addInitScript(() => {
    window.Worker = class extends EventTarget {
      postMessage() {}
      terminate() {}
    };
  });
  const page = await context.newPage();
  let path = "";
  const say = (what) => report(`/${path}: ${what}`);
  page.on("console", (message) => message.type() === "error" && say(`console: ${message.text()}`));
  page.on("pageerror", (error) => say(`script: ${error.message}`));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(address)) say(`asks ${request.url()}`);
  });
  const read = async () => {
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
  };
  const examine = async (scheme, { width, rules, within }) => {
    const violations = await page.evaluate(
      async ([within, runOnly]) => {
        const { violations } = await window.axe.run(within, { runOnly, resultTypes: ["violations"] });
        return violations.map(({ id, impact, nodes }) => [id, impact, nodes.length, nodes[0].html.slice(0, 160)]);
      },
      [within, rules],
    );
    for (const [id, impact, count, first] of violations) {
      if (impact === "serious" || impact === "critical") say(`${id} (${width} px, ${scheme}), ${count} times: ${first}`);
    }
  };
  const shown = async (scheme, { width }) => {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme: scheme });
  };
  const seen = async (scheme, { width }) => {
    await settled(page);
    const [over, shade] = await page.evaluate(() => [
      document.documentElement.scrollWidth - document.documentElement.clientWidth,
      getComputedStyle(document.body).backgroundColor.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0),
    ]);
    if (over > 0) say(`${over} px too wide at ${width} px, ${scheme}`);
    if ((shade < 384) !== (scheme === "dark")) say(`is not ${scheme} where the visitor wants it`);
  };
  const look = async ([loaded, changed]) => {
    await shown(loaded, LOADED);
    await page.goto(address + path, { waitUntil: "load" });
    await read();
    await page.evaluate(axe.source);
    await seen(loaded, LOADED);
    await examine(loaded, LOADED);
    await shown(changed, CHANGED);
    await seen(changed, CHANGED);
    await examine(changed, CHANGED);
  };
  return {
    look: (to, schemes) => {
      path = to;
      return look(schemes);
    },
    close: () => context.close(),
  };
};

// What a first visit of the first page transfers, each file compressed as a forge's pages are.
const weighed = async (browser, address) => {
  const page = await browser.newPage();
  const bodies = [];
  page.on("response", (response) => bodies.push(response.body()));
  await page.goto(address, { waitUntil: "networkidle" });
  for (const body of await Promise.all(bodies)) transferred += gzipSync(body).length;
  await page.close();
};

const site = await serve(root);
const browser = await launch(executablePath);
const waiting = pagesOf(root).filter((page) => !pages.length || pages.some((begin) => page.startsWith(begin)));
const count = waiting.length;
await weighed(browser, site.address);
if (transferred > FIRST_PAGE_BYTES) report(`/: ${transferred} bytes compressed, at most ${FIRST_PAGE_BYTES}`);
const [byWords, byHand] = await Promise.all([
  searched(browser, site.address, searches),
  used(browser, site.address, commands),
  ...Array.from({ length: availableParallelism() }, async () => {
    const { look, close } = await looker(browser, site.address);
    for (let path; (path = waiting.shift()) !== undefined; ) await look(path, SCHEMES[waiting.length % 2]);
    await close();
  }),
]);
for (const [page, link] of links) {
  const [path, anchor] = decodeURIComponent(link).split("#");
  const there = ids.get(path.replace(/\?.*$/, ""));
  if (!there && !existsSync(join(root, path, path.endsWith("/") ? "index.html" : "")))
    report(`/${page}: link to ${link}, which does not exist`);
  if (there && anchor && !there.has(anchor) && !anchor.startsWith("__")) report(`/${page}: no anchor ${link}`);
}
for (const what of [...byWords, ...byHand]) report(what);
await browser.close();
site.close();
console.error(`${count} pages, first page ${transferred} bytes compressed, ${found.size} findings`);
process.exitCode = found.size ? 1 : 0;
