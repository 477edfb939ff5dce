// Types into the search of the site what visitors type, and sees that the page they want is among the first three.
const FIRST = 3;

export const searched = async (browser, address, searches) => {
  const found = [];
  const page = await browser.newPage();
  await page.goto(address, { waitUntil: "load" });
  await page.keyboard.press("Control+k");
  const box = page.getByRole("combobox", { name: "Search" });
  await box.waitFor();
  for (const { words, page: wanted } of searches) {
    await box.fill(words);
    const asked = new URLSearchParams({ h: words }).toString();
    const first = page.getByRole("option").first();
    let results = [];
    try {
      await page.waitForFunction(
        ([asked]) => {
          const within = (root) =>
            [...root.querySelectorAll("*")].some(
              (element) =>
                (element.getAttribute("role") === "option" && element.href?.includes(asked)) ||
                (element.shadowRoot && within(element.shadowRoot)),
            );
          return within(document);
        },
        [asked],
        { timeout: 5000, polling: 20 },
      );
      await first.waitFor();
      results = await page.getByRole("option").evaluateAll((all) => all.map((one) => one.href));
    } catch {
      results = [];
    }
    const places = results.map((href) => href.slice(address.length).replace(/\?[^#]*/, ""));
    if (!places.slice(0, FIRST).some((place) => place.startsWith(wanted)))
      found.push(`search "${words}": ${wanted} is not among ${places.slice(0, FIRST).join(", ") || "no results"}`);
  }
  await page.close();
  return found;
};
