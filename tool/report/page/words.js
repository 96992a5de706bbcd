/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The data, numbers as words, and elements made of text. Text goes in as text, never as markup. */
const data = JSON.parse(document.getElementById("data").textContent);
const allocators = data.allocators;
const unit = allocators.length ? allocators[0].operation.unit : "ns";
const byId = (id) => document.getElementById(id);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

function element(tag, properties, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties || {})) {
        if (name in made) made[name] = value;
        else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
}

const named = (name) => allocators.find((row) => row.name === name);
const today = allocators.find((row) => row.origin === "system" && !row.fault) || null;
const swatch = (fill) => element("span", { className: "swatch", style: "background:" + fill });

const known = (value) => value !== null && value !== undefined;
const whole = (number) => Math.round(number).toLocaleString("en");
const fixed = (digits) => (number) => number.toFixed(digits);

function bytes(number) {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let at = 0;
    while (number >= 1024 && at < units.length - 1) {
        number /= 1024;
        at++;
    }
    return (at && number < 999.5 ? +number.toPrecision(3) : Math.round(number).toLocaleString("en")) + " " + units[at];
}

function short(number) {
    if (number >= 1e9) return +(number / 1e9).toPrecision(3) + "G";
    if (number >= 1e6) return +(number / 1e6).toPrecision(3) + "M";
    if (number >= 1e4) return +(number / 1e3).toPrecision(3) + "k";
    return whole(number);
}

/* "12 %", "0.4 %" */
const percents = (v) => (v >= 0.01 || v === 0 ? +v.toPrecision(v < 100 ? 2 : 3) + " %" : v.toExponential(0) + " %");

/* How a figure differs from another: "-12 %", "x 2.3"; empty where it cannot be said. */
function change(value, from) {
    if (!known(value) || !from) return "";
    const ratio = value / from;
    if (ratio >= 2) return "x " + ratio.toFixed(1);
    const part = Math.round((ratio - 1) * 100);
    return (part > 0 ? "+" : part < 0 ? "−" : "±") + Math.abs(part) + " %";
}

/* ---- the two figures that matter most of an allocator ---- */

const memoryOf = (row) => row.program_memory_bytes;
const timeOf = (row) => (row.fault || row.failed_operations || (data.on_threads && !known(row.ns_per_operation_threads)) ? null : row.ns_per_operation_threads ?? row.ns_per_operation_touched ?? row.ns_per_operation);

/* ---- the hint that follows pointer and focus ---- */

function showTip(text, x, y) {
    const tip = byId("tip");
    tip.textContent = text;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(x + 14, window.innerWidth - box.width - 8)) + "px";
    tip.style.top = (y + 18 + box.height > window.innerHeight ? Math.max(4, y - box.height - 12) : y + 18) + "px";
}

const hideTip = () => { byId("tip").hidden = true; };

/* A table of plain cells: the first of each row heads it. */
function plainTable(caption, head, rows) {
    const line = (cells) => element("tr", {}, element("th", { scope: "row" }, cells[0]),
        ...cells.slice(1).map((cell) => element("td", {}, cell)));
    return element("table", {}, element("caption", {}, caption),
        element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))),
        element("tbody", {}, ...rows.map(line)));
}
