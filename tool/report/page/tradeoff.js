/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Every allocator by its memory and time, and the Pareto front: those that none beats in both. */
const origins = { "built-in": ["acre's", "c0"], system: ["today's malloc", "ink"], tuned: ["with other settings", "c5"], preload: ["other mallocs", "c1"], plugin: ["plugins", "c3"] };

const points = allocators.filter((row) => known(timeOf(row)) && known(memoryOf(row)))
    .map((row) => ({ row, x: memoryOf(row), y: timeOf(row) })).sort((a, b) => a.x - b.x || a.y - b.y);
let fastest = Infinity;
for (const point of points) {
    point.front = point.y < fastest;
    fastest = Math.min(fastest, point.y);
}

/* A scale from 0 says how large, one in powers tells apart what is many times as large. */
function boundsFor(values) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    if (high > low * 6) return { log: true, range: [low / 1.25, high * 1.3] };
    const margin = (high - low || high || 1) * 0.12;
    return { log: false, range: low < high * 0.4 ? [0, high * 1.12] : [Math.max(0, low - margin), high + margin] };
}

function describePoint(point) {
    const { row } = point;
    const lines = [row.name + (row.setting ? ` (${row.setting})` : ""), `${point.y.toFixed(1)} ns/op, ${bytes(point.x)}`];
    if (today && row !== today) lines.push(`against today: time ${change(point.y, timeOf(today))}, memory ${change(point.x, memoryOf(today))}`);
    if (point.front) lines.push("none is better in both");
    return lines.join("\n");
}

/* The steps of the Pareto front's line: right from each point, then to the height of the next. */
function frontSteps(dots) {
    const front = dots.filter(({ point }) => point.front).sort((a, b) => a.left - b.left);
    return front.slice(1).flatMap((to, i) => [[front[i].left, front[i].top - 2, to.left, front[i].top + 2],
        [to.left - 2, Math.min(front[i].top, to.top), to.left + 2, Math.max(front[i].top, to.top)]]);
}

/* Puts each name where it covers neither a point nor a name, nor the front's line if there is such a place; one
 * without a place is left out. */
function placeNames(dots, width, height) {
    const full = dots.map(({ left, top }) => [left - 7, top - 7, left + 7, top + 7]);
    const steps = frontSteps(dots);
    const covers = (box, others) => others.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
    const free = (box) => box[0] >= 0 && box[2] <= width && box[1] >= 0 && box[3] <= height && !covers(box, full);
    const rank = ({ point }) => (point.row.name === taken || point.row === today ? 0 : point.front ? 1 : 2);
    for (const dot of [...dots].sort((a, b) => rank(a) - rank(b))) {
        const size = dot.point.row.name.length * 7.2 + 4;
        const { left, top } = dot;
        const places = [[left + 9, top - 9], [left - 9 - size, top - 9], [left - size / 2, top - 26], [left - size / 2, top + 8], [left + 7, top - 24], [left + 7, top + 6], [left - 8, top - 26], [left - 8, top + 8]];
        const boxes = places.map(([x, y]) => [x, y, x + size, y + 17]).filter(free);
        const box = boxes.find((each) => !covers(each, steps)) || boxes[0];
        if (!box) continue;
        full.push(box);
        dot.name = box;
    }
}

function overlayPoints(over, toX, toY, width, height) {
    const dots = points.map((point) => ({ point, left: toX(point.x), top: toY(point.y) }));
    placeNames(dots, width, height);
    if (today && points.some((point) => point.row === today)) over.append(element("div", { className: "quadrant",
        style: `left:0;top:${toY(timeOf(today))}px;width:${toX(memoryOf(today))}px;bottom:0` }, ...(toX(memoryOf(today)) > 110 ? [element("span", {}, "better in both")] : [])));
    for (const { point, left, top, name } of dots) {
        const { row } = point;
        const text = describePoint(point);
        const dot = element("button", { type: "button", className: "dot" + (point.front ? " front" : "") + (row.name === taken ? " chosen" : ""), "aria-label": text,
            style: `left:${left}px;top:${top}px;--fill:var(--${origins[row.origin][1]})` });
        const show = () => { const box = dot.getBoundingClientRect(); showTip(text, box.right, box.top); };
        dot.onpointerenter = dot.onfocus = show;
        dot.onpointerleave = dot.onblur = hideTip;
        over.append(dot);
        if (name) over.append(element("span", { className: "dot-name" + (row.name === taken || row === today ? " strong" : ""), style: `left:${name[0] + 2}px;top:${name[1]}px` }, row.name));
    }
}

function tradeoffChart() {
    const [x, y] = [boundsFor(points.map((point) => point.x)), boundsFor(points.map((point) => point.y))];
    return { id: "tradeoff", within: "tradeoff", title: "", label: "Memory against time", height: window.innerWidth < 608 ? 340 : 460, x: points.map((point) => point.x), showX: bytes, showY: (v) => +v.toPrecision(4) + " ns",
        xLabel: "memory", xRange: x.range, yRange: y.range, logX: x.log, logY: y.log, binaryX: true, overlay: overlayPoints, about: "Left is less memory, down is less time per operation. The line joins the Pareto front: for each allocator off it there is one that is at least as good in both.",
        series: [{ name: "Pareto front", colour: "good", stepped: true, spans: true, values: points.map((point) => (point.front ? point.y : null)) }],
        rows: [["Allocator", "Memory", "ns/op", "Pareto front"], ...points.map((point) => [point.row.name, bytes(point.x), point.y.toFixed(1), point.front ? "yes" : "no"])],
        keys: [["Pareto front", "good"], ...[...new Set(points.map((point) => point.row.origin))].map((origin) => origins[origin])] };
}
