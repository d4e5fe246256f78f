/* Search over the sections of all pages. The index is a script, loaded at the first use, so that it works from a folder. */
const query = document.getElementById("query");
const found = document.getElementById("found");
const up = document.body.dataset.up;
let loading;

function load() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${up}search-index.js`;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
  return loading;
}

const count = (text, word) => text.toLowerCase().split(word).length - 1;

/* Sections that have every word; a heading weighs more than text. */
function matches(words) {
  return window.sections
    .map((row) => [row, words.map((word) => 20 * count(row[2], word) + 5 * count(row[1], word) + Math.min(5, count(row[3], word)))])
    .filter(([, scores]) => scores.every((score) => score > 0))
    .map(([row, scores]) => [row, scores.reduce((sum, score) => sum + score, 0)])
    .sort((a, b) => b[1] - a[1])
    .slice(0, 20)
    .map(([row]) => row);
}

function excerpt(text, word) {
  const at = Math.max(0, text.toLowerCase().indexOf(word) - 50);
  return (at ? "…" : "") + text.slice(at, at + 140) + (text.length > at + 140 ? "…" : "");
}

async function show() {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) { found.hidden = true; return; }
  await load();
  const items = matches(words).map(([address, page, heading, text]) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    const small = document.createElement("small");
    link.href = up + address;
    link.textContent = page === heading ? page : `${page} · ${heading}`;
    small.textContent = excerpt(text, words[0]);
    link.append(small);
    item.append(link);
    return item;
  });
  if (!items.length) {
    const item = document.createElement("li");
    item.textContent = "Nothing has all of these words.";
    items.push(item);
  }
  found.replaceChildren(...items);
  found.hidden = false;
}

query.addEventListener("input", show);
query.addEventListener("focus", load);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== query) { event.preventDefault(); query.focus(); }
  if (event.key === "Escape") { found.hidden = true; query.blur(); }
});
