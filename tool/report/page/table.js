/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The table of all figures, sorted by the heading that was pressed. */
const percent = (share) => (known(share) ? share * 100 : null);
const signed = (v) => (v > 0 ? "+" : v < 0 ? "−" : "±") + Math.abs(v).toFixed(1) + " %";
const wholeChange = (row) => (!data.recorded_seconds ? null : row === today ? 0
    : known(row.predicted_change_seconds) ? (100 * row.predicted_change_seconds) / data.recorded_seconds : null);
const allColumns = [
    { title: "Time\nns/op", get: timeOf, show: fixed(1) },
    { title: "Memory\n", get: memoryOf, show: bytes },
    { title: "Smallest\npool", get: (row) => row.smallest_pool_bytes, show: bytes },
    { title: "Memory /\npeak live", get: (row) => row.memory_per_peak_live, show: fixed(3), about: true, more: true },
    { title: "Whole\nprogram", get: wholeChange, show: signed, optional: true, plain: true },
    { title: "99.9 %\n" + unit, get: (row) => row.operation.p99_9, show: whole },
    { title: "Worst\n" + unit, get: (row) => row.operation.worst, show: whole },
    { title: "Internal\n%", get: (row) => percent(row.internal_fragmentation), show: fixed(1) },
    { title: "External\n%", get: (row) => percent(row.external_fragmentation), show: fixed(1) },
    { title: "Metadata\nbytes", get: (row) => row.metadata_bytes, show: whole, more: true },
    { title: "Failed\noperations", get: (row) => row.failed_operations, show: whole, more: true },
    { title: "ns/op\nno writes", get: (row) => row.ns_per_operation, show: fixed(1), more: true },
    { title: "Median\n" + unit, get: (row) => row.operation.median, show: whole, more: true },
    { title: "99 %\n" + unit, get: (row) => row.operation.p99, show: whole, more: true },
    { title: "Instr.\nper op", get: (row) => row.instructions_per_operation, show: fixed(1), optional: true, more: true },
];
/* A column that this machine cannot fill is left out, and the page says why. */
const columns = allColumns.filter((column) => !column.optional || allocators.some((row) => known(column.get(row))));
const sorting = { column: null, down: false };

/* What looks equal is equal; a column that is all one has no best. `most` is the length of a full bar. */
function boundsOf(column) {
    const rows = allocators.filter((row) => !row.fault && known(column.get(row)));
    const shown = rows.map((row) => column.show(column.get(row)));
    const values = rows.map(column.get);
    const best = new Set(shown).size < 2 ? null : shown[values.indexOf(Math.min(...values))];
    return { best, most: column.plain ? 0 : Math.max(...values) };
}

const attributes = (column) => ({ className: column.more ? "more" : "" });

function cell(row, column, bounds) {
    const value = row.fault ? null : column.get(row);
    if (!known(value)) return element("td", attributes(column), "–");
    const text = column.show(value);
    const mark = column.about && !known(row.smallest_pool_bytes) ? "~" : "";
    const made = element("td", attributes(column), mark + text);
    if (bounds.most > 0) made.style.setProperty("--share", Math.max(value / bounds.most, 0).toFixed(3));
    if (text !== bounds.best) return made;
    made.classList.add("best");
    made.prepend(element("span", { "aria-hidden": "true" }, "★ "));
    made.append(element("span", { className: "hidden" }, " (best)"));
    return made;
}

function rowHead(row) {
    const head = element("th", { scope: "row", title: row.setting || "" }, row.name + (row.fault ? " (broken)" : ""));
    if (row === today) head.append(element("span", { className: "tag" }, "today"));
    if (row.name === taken && row !== today) head.append(element("span", { className: "tag taken" }, "take"));
    return head;
}

function compareRows(a, b) {
    if (sorting.column < 0) return a.name.localeCompare(b.name) * (sorting.down ? -1 : 1);
    const get = (row) => (row.fault ? null : columns[sorting.column].get(row));
    const [x, y] = [get(a), get(b)];
    if (!known(x) || !known(y)) return known(y) - known(x);
    return (x - y) * (sorting.down ? -1 : 1);
}

function fillTable() {
    const bounds = columns.map(boundsOf);
    byId("table").tBodies[0].replaceChildren(...[...allocators].sort(compareRows).map((row) => element("tr", { className: row === today ? "today" : "" },
        rowHead(row), ...columns.map((column, i) => cell(row, column, bounds[i])))));
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
    return element("th", { scope: "col", ...(column < 0 ? {} : attributes(columns[column])) }, element("button", { type: "button", onclick: () => sortBy(column) }, title));
}

function buildTable() {
    byId("table").append(
        element("thead", {}, element("tr", {}, heading("Allocator", -1),
            ...columns.map((column, i) => heading(column.title, i)))),
        element("tbody"));
    byId("table").className = "few";
    byId("all-columns").onchange = (event) => byId("table").classList.toggle("few", !event.target.checked);
    sortBy(0);
    if (!columns.some((column) => column.title.startsWith("Instr.")) && data.instructions_unknown)
        byId("table-about").append(` Instructions are not shown: ${data.instructions_unknown}.`);
    const faults = allocators.filter((row) => row.fault).map((row) => row.name + ": " + row.fault);
    byId("faults").hidden = !faults.length;
    byId("faults").textContent = "Broken: " + faults.join("; ");
}
