// Does what visitors do: chooses a problem and filters solutions by the keyboard alone, copies a command, reads without scripts.
const TABS = 400; // presses of a key until something has the focus, at most

const tabbed = async (page, wanted) => {
  for (let presses = 0; presses < TABS; presses++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), wanted)) return true;
  }
  return false;
};

// From a problem on the first page to the command, which the button copies.
const chosen = async (page, address, commands) => {
  const found = [];
  for (const [place, command] of Object.entries(commands)) {
    await page.goto(address, { waitUntil: "load" });
    if (!(await tabbed(page, `.chooser a[href="${place}"]`))) {
      found.push(`/: the keyboard does not reach the problems of ${place}`);
      continue;
    }
    await Promise.all([page.waitForURL(`${address}${place}`), page.keyboard.press("Enter")]);
    if (!(await tabbed(page, ".md-clipboard, .md-code__button"))) {
      found.push(`/${place}: the keyboard does not reach the button that copies`);
      continue;
    }
    await page.keyboard.press("Enter");
    const copied = (await page.evaluate(() => navigator.clipboard.readText())).trim();
    if (copied !== command) found.push(`/${place}: copied ${JSON.stringify(copied)}, not ${JSON.stringify(command)}`);
  }
  return found;
};

// Each choice of each facet leaves exactly the cards that have it.
const filtered = async (page, address) => {
  const found = [];
  await page.goto(`${address}solutions/`, { waitUntil: "load" });
  for (const facet of await page.locator(".facets select").evaluateAll((all) => all.map((one) => one.dataset.facet))) {
    const select = page.locator(`select[data-facet="${facet}"]`);
    const values = await select.evaluate((one) => [...one.options].map((option) => option.value));
    await page.evaluate(() => document.activeElement?.blur());
    if (!(await tabbed(page, `select[data-facet="${facet}"]`))) {
      found.push(`/solutions/: the keyboard does not reach ${facet}`);
      continue;
    }
    for (const value of values.slice(1)) {
      await page.keyboard.press("ArrowDown");
      const [now, shown, right, said] = await page.evaluate(
        ([facet, value]) => {
          const cards = [...document.querySelectorAll(".card")];
          const has = (card) => card.dataset[facet].split("|").includes(value);
          return [
            document.querySelector(`select[data-facet="${facet}"]`).value,
            cards.filter((card) => card.offsetParent).length,
            cards.every((card) => Boolean(card.offsetParent) === has(card)),
            document.querySelector(".found").textContent,
          ];
        },
        [facet, value],
      );
      if (now !== value || !shown || !right || !said.startsWith(`${shown} of `))
        found.push(`/solutions/: ${facet} "${value}" chose "${now}" and shows ${shown} cards, "${said}"`);
    }
    await page.keyboard.press("Home");
  }
  return found;
};

// Without scripts a page has its words, its diagram and its links.
const withoutScripts = async (browser, address, commands) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const found = [];
  for (const [place, command] of Object.entries(commands)) {
    await page.goto(address + place, { waitUntil: "load" });
    const shows = await page.getByText(command, { exact: true }).first().isVisible();
    const drawn = await page.locator(".diagram svg .node").first().isVisible();
    if (!shows || !drawn) found.push(`/${place}: without scripts the command or the diagram is not there`);
  }
  await page.goto(`${address}solutions/`, { waitUntil: "load" });
  if (!(await page.locator(".card").last().isVisible())) found.push("/solutions/: without scripts the cards are not there");
  if (await page.locator(".facets").isVisible()) found.push("/solutions/: without scripts a facet does nothing");
  await context.close();
  return found;
};

export const used = async (browser, address, commands) => {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  const found = [...(await chosen(page, address, commands)), ...(await filtered(page, address))];
  await context.close();
  return [...found, ...(await withoutScripts(browser, address, commands))];
};
