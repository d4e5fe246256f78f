/* Theme, keys of the strip, news of the run, and a dropped file. Everything else is plain links; without this file the page still works. */
const root = document.documentElement;
const main = () => document.getElementById("main");

document.getElementById("theme").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* not kept, still shown */ }
});

/* The community's clocks are shown; who has others is told once. */
const zone = root.dataset.zone, note = document.getElementById("zone");
const clock = (timeZone) => new Date().toLocaleString("en", { timeZone, dateStyle: "short", timeStyle: "short" });
let told = null;
try { told = localStorage.getItem("zone"); } catch { /* told each time */ }
if (zone && told !== zone && clock(zone) !== clock(undefined)) {
  note.querySelector("b").textContent = zone.split("/").at(-1).replaceAll("_", " ");
  note.hidden = false;
  note.querySelector("button").addEventListener("click", () => {
    note.hidden = true;
    try { localStorage.setItem("zone", zone); } catch { /* told again */ }
  });
}

/* The strip is one stop of the Tab key: arrows, Home and End move inside it, Enter chooses. */
function roving() {
  const bars = [...document.querySelectorAll("#strip a")];
  const current = bars.find((bar) => bar === document.activeElement) ?? bars.find((bar) => bar.ariaCurrent) ?? bars.at(-1);
  bars.forEach((bar) => (bar.tabIndex = bar === current ? 0 : -1));
}
document.addEventListener("keydown", (event) => {
  const bars = [...document.querySelectorAll("#strip a")], at = bars.indexOf(event.target);
  const to = at < 0 ? undefined : { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: bars.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  if (!bars[to]) return;
  bars[to].focus();
  bars[to].click();
  roving();
});

/* News: the stream says that something happened, the page is asked for once, and only what differs is replaced.
   A silent stream is asked after every half minute, so that the age of the newest reading stays true. A page that does
   not follow the run by itself is asked for less often, and not while somebody fills in a form on it. */
const fresh = () => document.getElementById("fresh");
const following = () => main()?.dataset.refresh !== undefined;
const here = () => main()?.dataset.refresh || location.pathname + location.search;
const filled = (field) => field === document.activeElement || (field.options
  ? field.selectedIndex !== Math.max(0, [...field.options].findIndex((one) => one.defaultSelected))
  : field.value !== field.defaultValue);
const busy = () => [...main().querySelectorAll("input:not([type=hidden]), textarea, select")].some(filled);
let source = null, pulse = null, due = null, asking = false;
function listen() {
  const wanted = following() || fresh()?.dataset.live !== undefined;
  if (wanted && !source) {
    const after = main().dataset.after ?? fresh().dataset.after;
    source = new EventSource(`/api/v1/events?after=${encodeURIComponent(after)}`);
    for (const stage of ["cleared", "delivered", "committed"]) source.addEventListener(stage, soon);
    source.addEventListener("end", () => { source.close(); soon(); });
    source.addEventListener("error", lost);
    source.addEventListener("open", soon);
    pulse = setInterval(soon, 30_000);
  } else if (!wanted && source) {
    source.close();
    clearInterval(pulse);
    source = null;
  }
}
function lost() {
  fresh().dataset.state = "silent";
  fresh().lastElementChild.textContent = root.dataset.lost;
}
function soon() { due ??= setTimeout(renew, following() ? 400 : 2_000); }
async function renew() {
  due = null;
  if (asking || !source) return;
  asking = true;
  const whole = { target: "#main", select: "#main", selectOOB: "#fresh", swap: "outerMorph" };
  try {
    await htmx.ajax("GET", here(), busy() ? { target: "#fresh", select: "#fresh", swap: "outerMorph" } : whole);
  } finally { asking = false; }
}

/* A file dropped on its form is sent at once, and so is one that was chosen. */
const drop = document.getElementById("drop");
drop?.addEventListener("change", () => drop.requestSubmit());
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) drop?.addEventListener(kind, (event) => {
  event.preventDefault();
  drop.classList.toggle("over", kind === "dragenter" || kind === "dragover");
  if (kind !== "drop" || !event.dataTransfer.files.length) return;
  drop.elements.file.files = event.dataTransfer.files;
  drop.requestSubmit();
});

/* The link that lets a browser in carries its code behind the #, where no log and no other site sees it. */
const door = document.querySelector("[data-door]");
function enter() {
  if (location.hash.length < 2) return;
  door.elements.code.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  if (door.dataset.door === "at-once") door.requestSubmit();
}
if (door) {
  enter();
  addEventListener("hashchange", enter); // a second link, opened where the first one was
}

/* Commands can be copied where the browser lets them. */
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.setAttribute("aria-label", root.dataset.copied);
  });
}

document.addEventListener("htmx:after:swap", () => { roving(); listen(); });
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
roving();
listen();
