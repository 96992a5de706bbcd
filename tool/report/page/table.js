/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The table of all figures, sorted by the heading that was pressed. */
/* Resident memory that grew by less than was live had pages left from before. */
const grown = (bytes) => (known(bytes) ? Math.max(bytes, data.peak_live_bytes) : null);
const memoryOf = (row) => row.smallest_pool_bytes ?? grown(row.resident_growth_bytes);
const allColumns = [
    { title: "Memory\nbytes", get: memoryOf, show: whole, about: true },
    { title: "Memory /\npeak live", get: (row) => row.memory_per_peak_live, show: fixed(3), about: true },
    { title: "Internal\n%", get: (row) => percent(row.internal_fragmentation), show: fixed(1) },
    { title: "External\n%", get: (row) => percent(row.external_fragmentation), show: fixed(1) },
    { title: "Metadata\nbytes", get: (row) => row.metadata_bytes, show: whole },
    { title: "Failed\noperations", get: (row) => row.failed_operations, show: whole },
    { title: "ns/op\n", get: (row) => row.ns_per_operation, show: fixed(1) },
    { title: "ns/op\ntouched", get: (row) => row.ns_per_operation_touched, show: fixed(1) },
    { title: "Median\n" + unit, get: (row) => row.operation.median, show: whole },
    { title: "99 %\n" + unit, get: (row) => row.operation.p99, show: whole },
    { title: "99.9 %\n" + unit, get: (row) => row.operation.p99_9, show: whole },
    { title: "Worst\n" + unit, get: (row) => row.operation.worst, show: whole },
    { title: "Instr.\nper op", get: (row) => row.instructions_per_operation, show: fixed(1), counted: true },
];
/* A column that this machine cannot fill is left out, and the page says why. */
const columns = allColumns.filter((column) => !column.counted || allocators.some((row) => known(column.get(row))));
const percent = (share) => (known(share) ? share * 100 : null);
const sorting = { column: -1, down: false };

/* What looks equal is equal; a column that is all one has no best. */
function bestOf(column) {
    const shown = allocators.filter((row) => !row.fault).map(column.get).filter(known).map((n) => column.show(n));
    if (new Set(shown).size < 2) return null;
    return shown.reduce((a, b) => (number(a) <= number(b) ? a : b));
}
const number = (text) => parseFloat(text.replaceAll(",", ""));

function cell(row, column, best) {
    const value = row.fault ? null : column.get(row);
    if (!known(value)) return element("td", {}, "–");
    const text = column.show(value);
    const mark = column.about && !known(row.smallest_pool_bytes) ? "~" : "";
    if (text !== best) return element("td", {}, mark + text);
    return element("td", { className: "best" }, element("span", { "aria-hidden": "true" }, "★ "), mark + text,
        element("span", { className: "hidden" }, " (best)"));
}

function compareRows(a, b) {
    if (sorting.column < 0) return a.name.localeCompare(b.name) * (sorting.down ? -1 : 1);
    const get = (row) => (row.fault ? null : columns[sorting.column].get(row));
    const [x, y] = [get(a), get(b)];
    if (!known(x) || !known(y)) return known(y) - known(x);
    return (x - y) * (sorting.down ? -1 : 1);
}

function fillTable() {
    const body = byId("table").tBodies[0];
    const bests = columns.map(bestOf);
    const rows = sorting.column === null ? allocators : [...allocators].sort(compareRows);
    body.replaceChildren(...rows.map((row) => element("tr", {},
        element("th", { scope: "row", title: row.setting || "" }, row.name + (row.fault ? " (broken)" : "")),
        ...columns.map((column, i) => cell(row, column, bests[i])))));
}

function sortBy(column) {
    sorting.down = sorting.column === column && !sorting.down;
    sorting.column = column;
    byId("table").tHead.querySelectorAll("th").forEach((head, i) => {
        if (i - 1 === column) head.setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
    });
    fillTable();
}

function heading(title, column) {
    return element("th", { scope: "col" }, element("button", { type: "button", onclick: () => sortBy(column) }, title));
}

function buildTable() {
    byId("table").append(
        element("thead", {}, element("tr", {}, heading("Allocator", -1),
            ...columns.map((column, i) => heading(column.title, i)))),
        element("tbody"));
    sorting.column = null;
    fillTable();
    if (columns.length < allColumns.length && data.instructions_unknown)
        byId("table-about").append(` Instructions are not shown: ${data.instructions_unknown}.`);
    const faults = allocators.filter((row) => row.fault).map((row) => row.name + ": " + row.fault);
    byId("faults").hidden = !faults.length;
    byId("faults").textContent = "Broken: " + faults.join("; ");
}
