/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the page is made of, in the order in which it is read. */
const ops = data.profile.operation;

/* ---- which allocators the charts show ---- */

const COLOURS = 8;
const chosen = new Map(); /* a name and its colour, which no other has while there are enough */

function choose(name) {
    if (chosen.has(name)) return;
    const uses = Array.from({ length: COLOURS }, (_, i) => [...chosen.values()].filter((c) => c === i).length);
    chosen.set(name, uses.indexOf(Math.min(...uses)));
}

function chooseFirst() {
    for (const name of [today && today.name, taken]) if (name) choose(name);
    for (const advice of Object.values(data.recommendations))
        for (const name of [advice.allocator, advice.built_in]) if (name) choose(name);
    for (const row of allocators) if (chosen.size < 2) choose(row.name);
}

const marks = new Map();
const colourOf = (name) => "c" + chosen.get(name);

function buildChoice() {
    chooseFirst();
    for (const row of allocators) {
        const box = element("input", { type: "checkbox", checked: chosen.has(row.name), onchange: () => {
            if (box.checked) choose(row.name);
            else chosen.delete(row.name);
            drawRunCharts();
        } });
        marks.set(row.name, swatch(""));
        byId("chosen").append(element("label", {}, box, marks.get(row.name), row.name));
    }
}

/* ---- the charts ---- */

const series = (get) => allocators.filter((row) => chosen.has(row.name) && !row.fault)
    .map((row) => ({ name: row.name, colour: colourOf(row.name), values: get(row) })).filter((s) => s.values.some(known));
const overRun = { x: ops, xLabel: "operation", showX: short };
const none = () => ops.map(() => null);

function inUse(row) {
    const pool = row.smallest_pool_bytes ?? row.pool_bytes;
    if (row.over_time.available.length) return row.over_time.available.map((available) => pool - available);
    return row.over_time.resident.length ? row.over_time.resident : none();
}

function lack(part, all) {
    return part.length && all.length ? all.map((n, i) => (n ? Math.max(0, 100 * (1 - part[i] / n)) : null)) : none();
}

/* The starts of all buckets that hold anything, and for each the share of operations that reach it. */
function tails() {
    const rows = allocators.filter((row) => chosen.has(row.name) && row.operation_spread.length);
    const starts = [...new Set(rows.flatMap((row) => row.operation_spread.map((pair) => Math.max(pair[0], 1))))].sort((a, b) => a - b);
    return { x: starts, series: rows.map((row) => ({ name: row.name, colour: colourOf(row.name), values: tail(row.operation_spread, starts) })) };
}

function tail(spread, starts) {
    const all = spread.reduce((sum, pair) => sum + pair[1], 0);
    return starts.map((start) => {
        const reached = spread.reduce((sum, pair) => sum + (Math.max(pair[0], 1) >= start ? pair[1] : 0), 0);
        return reached ? (100 * reached) / all : null;
    });
}

/* Buckets put together by powers of two. */
function byPowers(...spreads) {
    const power = (n) => (n < 1 ? 0 : Math.floor(Math.log2(n)) + 1);
    const most = Math.max(0, ...spreads.flatMap((spread) => spread.map((pair) => power(pair[0]))));
    const least = Math.min(most, ...spreads.flatMap((spread) => spread.map((pair) => power(pair[0]))));
    const columns = Array.from({ length: most - least + 1 }, (_, i) => i);
    const share = (spread) => {
        const all = spread.reduce((sum, pair) => sum + pair[1], 0) || 1;
        return columns.map((i) => spread.reduce((sum, pair) => sum + (power(pair[0]) === i + least ? (100 * pair[1]) / all : 0), 0));
    };
    const name = (i) => (i + least < 2 ? String(i + least) : short(2 ** (i + least - 1)) + "+");
    return { x: columns, showX: name, share };
}

/* Marks the moment at which most bytes are live. */
function overlayPeak(over, toX, toY, width) {
    const left = toX(ops[data.profile.live_bytes.indexOf(data.peak_live_bytes)] ?? 0);
    over.append(element("div", { className: "peak-mark" + (left > width * 0.7 ? " late" : ""), style: `left:${left}px` }, element("span", {}, "peak " + bytes(data.peak_live_bytes))));
}

function drawRunCharts() {
    for (const [name, mark] of marks) mark.style.background = chosen.has(name) ? `var(--${colourOf(name)})` : "var(--quiet)";
    const sizes = byPowers(data.profile.sizes, data.profile.bytes_by_size);
    const lifetimes = byPowers(data.profile.lifetimes);
    const latency = tails();
    drawChart({ id: "memory", title: "Memory in use", showY: bytes, binary: true, overlay: overlayPeak, ...overRun,
        about: "Live bytes requested by the program, and the memory each allocator uses for them: of its smallest pool, or resident. Each point is the highest of its interval.",
        series: [{ name: "requested", colour: "ink", filled: "bar", values: data.profile.live_bytes }, ...series(inUse)] });
    drawChart({ id: "external", title: "External fragmentation", showY: percents, ...overRun,
        about: "Free bytes of the smallest pool outside the largest free block.",
        series: series((row) => lack(row.over_time.largest_free, row.over_time.available)) });
    drawChart({ id: "internal", title: "Internal fragmentation", showY: percents, ...overRun,
        about: "Bytes of live blocks beyond the requested size: rounding, headers, alignment.",
        series: series((row) => lack(data.profile.live_bytes, row.over_time.used)) });
    drawChart({ id: "latency", title: "Latency of single operations", x: latency.x, series: latency.series, logX: true, logY: true,
        showX: short, showY: percents, xLabel: unit,
        about: `Share of operations that took at least this many ${unit}; each operation counts with its minimum over several replays.` });
    drawChart({ id: "sizes", title: "Request sizes", ...sizes, xLabel: "bytes requested", showY: percents, bars: true,
        about: "Share of requests and of requested bytes by request size.",
        series: [{ name: "requests", colour: "c0", values: sizes.share(data.profile.sizes) },
            { name: "bytes", colour: "c1", values: sizes.share(data.profile.bytes_by_size) }] });
    drawChart({ id: "lifetimes", title: "Block lifetimes", ...lifetimes, xLabel: "operations from allocation to free", showY: percents, bars: true,
        about: "Freed blocks by their lifetime.",
        series: [{ name: "blocks", colour: "c2", values: lifetimes.share(data.profile.lifetimes) }] });
}

function redraw() {
    drawChart(tradeoffChart());
    drawRunCharts();
    drawMap();
}

/* ---- light and dark: as the system has it until the reader chooses ---- */

const systemDark = matchMedia("(prefers-color-scheme: dark)");
let readersTheme = null;

function setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
    byId("theme").setAttribute("aria-label", theme === "dark" ? "Light colours" : "Dark colours");
}

const wantedTheme = () => readersTheme || (systemDark.matches ? "dark" : "light");

function retheme(theme) {
    setTheme(theme);
    redraw();
}

byId("theme").onclick = () => {
    readersTheme = wantedTheme() === "dark" ? "light" : "dark";
    retheme(readersTheme);
};
systemDark.addEventListener("change", () => retheme(wantedTheme()));

function layOutForPrint(on) {
    document.documentElement.classList.toggle("printing", on);
    retheme(on ? "light" : wantedTheme());
}

window.addEventListener("beforeprint", () => layOutForPrint(true));
window.addEventListener("afterprint", () => layOutForPrint(false));

setTheme(wantedTheme());
buildVerdict();
buildFacts();
buildAdvice();
buildVerification();
buildActions();
buildTable();
buildChoice();
buildMap();
redraw();
let lastWidth = window.innerWidth;
window.addEventListener("resize", () => {
    if (window.innerWidth === lastWidth) return;
    lastWidth = window.innerWidth;
    redraw();
});
for (const moves of ["wheel", "touchmove"]) window.addEventListener(moves, hideTip, { passive: true });
document.documentElement.dataset.ready = "yes";
