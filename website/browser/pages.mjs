// The built site behind a small server on 127.0.0.1, and the browser that looks at it.
import { createServer } from "node:http";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { chromium } from "playwright-core";

const TYPES = {
  ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
  ".json": "application/json", ".png": "image/png", ".webp": "image/webp", ".txt": "text/plain; charset=utf-8", ".xml": "application/xml",
};

export const serve = async (root) => {
  const server = createServer((request, response) => {
    let path = join(root, decodeURIComponent(new URL(request.url, "http://site").pathname));
    if (existsSync(path) && statSync(path).isDirectory()) path = join(path, "index.html");
    if (!existsSync(path)) {
      response.writeHead(404).end();
      return;
    }
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "cache-control": "max-age=3600" });
    response.end(readFileSync(path));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { address: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
};

// Without a sandbox, since root has none; pages that nobody looks at are to be as quick as others.
const ARGUMENTS = ["--no-sandbox", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows"];
export const launch = (executablePath) => chromium.launch({ executablePath, args: ARGUMENTS });

// Goes on when a changed width or scheme is seen: the theme hears of it with the next frame. Colours that fade are at their end.
export const settled = (page) =>
  page.evaluate(async () => {
    const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const fading = () => document.getAnimations().filter((one) => one.playState === "running" && one.effect.getComputedTiming().endTime !== Infinity);
    do {
      await frames();
      for (const one of fading()) one.finish();
    } while (fading().length);
  });

// Every page below the folder, as the address has it: "" is the first one.
export const pagesOf = (root) =>
  readdirSync(root, { recursive: true })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".html"))
    .map((name) => name.replace(/index\.html$/, ""))
    .sort();
