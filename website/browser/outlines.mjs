// A diagram's SVG in a tenth of the text. Mermaid draws an outline as hundreds of curves that are straight, twice over.
const NEAR = 0.1; // pixels that nobody sees

const distance = ([x, y], [fromX, fromY], [toX, toY]) => {
  const [dx, dy] = [toX - fromX, toY - fromY];
  return Math.abs(dx * (y - fromY) - dy * (x - fromX)) / (Math.hypot(dx, dy) || 1);
};
const apart = ([x, y], [otherX, otherY]) => Math.hypot(x - otherX, y - otherY);
const short = (number) => String(Math.round(number * 10) / 10);

// The points of a line without those that are on it anyway: an arc is drawn as fifty.
const thinned = (points) => {
  const [first, last] = [points[0], points.at(-1)];
  const far = (point) => (apart(first, last) < NEAR ? apart(point, first) : distance(point, first, last));
  const farthest = points.reduce((most, point, place) => (far(point) > far(points[most]) ? place : most), 0);
  if (far(points[farthest]) <= NEAR) return [first, last];
  return [...thinned(points.slice(0, farthest + 1)), ...thinned(points.slice(farthest)).slice(1)];
};

// A path of moves and straight curves as lines, each once; any other path as it is.
export const outline = (d) => {
  const commands = [...d.matchAll(/([A-Za-z])([^A-Za-z]*)/g)].map(([, letter, rest]) => [letter, (rest.match(/-?[\d.]+/g) ?? []).map(Number)]);
  if (commands.some(([letter, numbers]) => letter !== (numbers.length === 2 ? "M" : "C") || ![2, 6].includes(numbers.length))) return d;
  const seen = new Set();
  const lines = [];
  let at = null;
  for (const [letter, numbers] of commands) {
    const to = numbers.slice(-2);
    if (letter === "C") {
      if ([numbers.slice(0, 2), numbers.slice(2, 4)].some((control) => distance(control, at, to) > NEAR)) return d;
      const segment = [...at, ...to].map(short).join();
      if (apart(at, to) > NEAR / 2 && !seen.has(segment)) {
        seen.add(segment);
        const last = lines.at(-1);
        if (last && apart(last.at(-1), at) < NEAR / 2) last.push(to);
        else lines.push([at, to]);
      }
    }
    at = to;
  }
  return lines.map((line) => `M${thinned(line).map((point) => point.map(short).join(" ")).join("L")}`).join("");
};

export const slim = (svg) => {
  const lined = svg.replace(/ d="([^"]*)"/g, (_, d) => ` d="${outline(d)}"`);
  const once = lined.replace(/<path([^>]*) d="([^"]*)"([^>]*)><\/path>\s*<path[^>]* d="\2"[^>]*><\/path>/g, '<path$1 d="$2"$3></path>');
  return once.replace(/ (d|points|transform|viewBox|x|y|width|height)="([^"]*)"/g, (_, name, value) => ` ${name}="${value.replace(/-?\d+\.\d+/g, short)}"`);
};
