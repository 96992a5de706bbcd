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
    return (number < 10 && at ? number.toFixed(1) : Math.round(number).toLocaleString("en")) + " " + units[at];
}

function short(number) {
    if (number >= 1e9) return +(number / 1e9).toPrecision(3) + "G";
    if (number >= 1e6) return +(number / 1e6).toPrecision(3) + "M";
    if (number >= 1e4) return +(number / 1e3).toPrecision(3) + "k";
    return whole(number);
}

/* A table of plain cells: the first of each row heads it. */
function plainTable(caption, head, rows) {
    const line = (cells) => element("tr", {}, element("th", { scope: "row" }, cells[0]),
        ...cells.slice(1).map((cell) => element("td", {}, cell)));
    return element("table", {}, element("caption", {}, caption),
        element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))),
        element("tbody", {}, ...rows.map(line)));
}
