// Types into the search of the site what visitors type, and sees that the page they want is among the first three.
const FIRST = 3;
const TRIES = 30;

export const searched = async (browser, address, searches) => {
  const found = [];
  const page = await browser.newPage();
  await page.goto(address, { waitUntil: "load" });
  const box = page.getByRole("combobox", { name: "Search" });
  const options = page.getByRole("option");
  // The theme listens to the keys some time after the page is loaded.
  for (let tried = 0; tried < TRIES && !(await box.isVisible()); tried++) {
    await page.keyboard.press("Control+k");
    await box.waitFor({ timeout: 1000 }).catch((error) => { if (error.name !== "TimeoutError") throw error; });
  }
  const hrefs = () => options.evaluateAll((all) => all.map((one) => one.href));
  for (const { words, page: wanted } of searches) {
    // An empty box has no results: what comes after it belongs to these words.
    await box.fill("");
    await options.first().waitFor({ state: "detached" });
    await box.fill(words);
    let results = [];
    try {
      await options.first().waitFor({ timeout: 5000 });
      for (let before = null; JSON.stringify(before) !== JSON.stringify(results) || before === null; ) {
        before = results;
        await page.waitForTimeout(50);
        results = await hrefs();
      }
    } catch (error) {
      if (error.name !== "TimeoutError") throw error;
    }
    const places = results.map((href) => href.slice(address.length).replace(/\?[^#]*/, ""));
    if (!places.slice(0, FIRST).some((place) => place.startsWith(wanted)))
      found.push(`search "${words}": ${wanted} is not among ${places.slice(0, FIRST).join(", ") || "no results"}`);
  }
  await page.close();
  return found;
};
