/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The heap map: the pool as rows of bytes, at one moment of the run. "Each operation" draws every block
 * of a part of the run; "whole run" draws cells that were looked at at intervals, each in the colour of the
 * block that takes most of it. Both come from tool/map/encode.c, decoded in heap.js.
 */
const MAP_ROWS = 32;
const view = { map: null, exact: false, at: 0, timer: 0, pen: null, by: "size", cursor: null, blocks: [] };

const operation = () => (view.exact ? heap.window_first + view.at : heap.moments[view.at]);
const momentOf = (op) => Math.max(0, heap.moments.findLastIndex((moment) => moment <= op));
const fillOf = (shade) => heap.palettes[view.by].colours[shade];

function shadeOfBlock(block, op) {
    if (view.by === "size") return sizeShade(block.asked);
    return view.by === "age" ? ageShade(op - block.born) : block.thread % SHADES;
}

function shadeOfCell(cell, at) {
    if (view.by === "size") return cell.shade;
    return view.by === "age" ? ageShade(heap.moments[at] - heap.moments[cell.born]) : cell.thread % SHADES;
}

/* ---- drawing ---- */

/* The rectangles of the bytes from `offset` on, which may run over several rows; wide ones at whole pixels, so that no
 * seam shows between neighbours. */
function boxes(pen, offset, size, share = 1) {
    const each = view.map.pool / MAP_ROWS;
    const height = pen.rowHeight - 2;
    const found = [];
    for (let row = Math.floor(offset / each); row < MAP_ROWS && row * each < offset + size; row++) {
        const from = ((Math.max(offset, row * each) - row * each) / each) * pen.width;
        const to = ((Math.min(offset + size, (row + 1) * each) - row * each) / each) * pen.width;
        const [x, end] = to - from > 8 ? [Math.round(from), Math.round(to)] : [from, to];
        found.push([x, row * pen.rowHeight + 1 + height * (1 - share), Math.max(end - x, 0.6), height * share]);
    }
    return found;
}

/* Blocks that are wide enough stand apart. */
function fillBytes(pen, fill, offset, size, share, apart = 0) {
    pen.fillStyle = fill;
    for (const [x, y, width, height] of boxes(pen, offset, size, share)) pen.fillRect(x, y, width > 4 ? width - apart : width, height);
}

/* Of a block that runs over many rows, the first two. */
function outline(pen, offset, size, dash) {
    pen.strokeStyle = colour("ink");
    pen.lineWidth = 1.5;
    pen.setLineDash(dash);
    for (const [x, y, width, height] of boxes(pen, offset, size).slice(0, 2)) pen.strokeRect(x, y, Math.max(width - 1, 2), height);
    pen.setLineDash([]);
}

function openCanvas() {
    const canvas = byId("map");
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const rowHeight = width < 600 ? 10 : 14;
    canvas.style.height = rowHeight * MAP_ROWS + "px";
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(rowHeight * MAP_ROWS * ratio);
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.rowHeight = rowHeight;
    pen.width = width;
    view.pen = pen;
    byId("map-mark").hidden = true;
    return pen;
}

function drawCells(pen, at) {
    const map = view.map;
    const own = colour("map-own");
    for (let i = 0; i < map.cell_count; i++) {
        const cell = cellAt(map, at, i);
        const start = i * map.cell_bytes;
        const size = Math.min(map.cell_bytes, map.pool - start);
        if (cell.own) fillBytes(pen, own, start, size, (cell.own + (view.exact ? 0 : cell.live)) / 15);
        if (cell.live && !view.exact) fillBytes(pen, fillOf(shadeOfCell(cell, at)), start, size, cell.live / 15);
    }
}

function drawBlocks(pen, op) {
    for (const block of view.blocks) fillBytes(pen, fillOf(shadeOfBlock(block, op)), block.offset, block.size, 1, 1);
    for (const block of view.blocks) if (block.born === op) outline(pen, block.offset, block.size, []);
    for (const block of goneAt(view.map, op)) outline(pen, block.offset, block.size, [3, 3]);
}

function drawScale(pen) {
    const every = pen.rowHeight < 12 ? 8 : 4;
    byId("map-scale").replaceChildren(...Array.from({ length: MAP_ROWS / every }, (_, i) => element("span",
        { style: `top:${i * every * pen.rowHeight}px` }, i ? "+" + bytes((i * every * view.map.pool) / MAP_ROWS) : "0")));
}

function drawLegend() {
    const palette = heap.palettes[view.by];
    const count = view.by === "thread" ? Math.min(SHADES, data.threads) : SHADES;
    const labels = palette.labels.slice(0, count).map((label, i) => (view.by === "thread" && data.threads > SHADES ? `${label}, ${i + SHADES} …` : label));
    const keys = [...labels.map((label, i) => [palette.colours[i], label]), ["var(--map-own)", "metadata"], ["var(--map-free)", "free"]];
    byId("map-legend").replaceChildren(element("li", { className: "first" }, palette.title), ...keys.map(([fill, label]) => element("li", {}, swatch(fill), label)));
}

/* Live bytes over what the slider covers; the moment shown, and the peak. */
function drawLine() {
    const values = view.exact ? liveInWindow() : heap.live;
    const step = Math.ceil(values.length / 300);
    const highest = Array.from({ length: Math.ceil(values.length / step) }, (_, i) => Math.max(...values.slice(i * step, (i + 1) * step)));
    const most = Math.max(...highest, 1);
    const x = (i) => (1000 * i) / Math.max(values.length - 1, 1);
    const path = highest.map((v, i) => `${i ? "L" : "M"}${x(Math.min((i + 0.5) * step - 0.5, values.length - 1)).toFixed(1)} ${(42 - (38 * v) / most).toFixed(1)}`).join("");
    const svg = line(null, "svg", { viewBox: "0 0 1000 44", preserveAspectRatio: "none" });
    const upright = (at, tag) => line(null, "line", { x1: x(at), x2: x(at), y1: 0, y2: 44, "vector-effect": "non-scaling-stroke", ...tag });
    const peak = view.exact ? heap.peak - heap.window_first : values.indexOf(most);
    svg.append(line(null, "path", { d: `${path}L1000 44L0 44Z`, fill: "var(--bar)" }), line(null, "path", { d: path, fill: "none", stroke: "var(--accent)", "vector-effect": "non-scaling-stroke" }),
        upright(peak, { stroke: "var(--quiet)", "stroke-dasharray": "3 3" }), upright(view.at, { stroke: "var(--ink)", "stroke-width": 2 }));
    const share = x(peak) / 10;
    byId("map-line").replaceChildren(svg, element("span", { style: share > 80 ? `right:${100 - share}%` : `left:${share}%` }, "peak"));
}

/* ---- words ---- */

const place = (block) => `${whole(block.asked)} bytes at ${whole(block.offset)}`;

function eventText(op) {
    const born = view.blocks.find((block) => block.born === op);
    const died = goneAt(view.map, op)[0];
    if (born && died && born.offset === died.offset) return `resized in place to ${place(born)}`;
    if (born && died) return `moved ${place(died)} to ${place(born)}`;
    if (born) return `allocated ${place(born)}`;
    return died ? `freed ${place(died)}` : "nothing changed";
}

function stateText(op) {
    const map = view.map;
    const head = `After operation ${whole(op + 1)} of ${whole(data.operations)}${op === heap.peak ? ", the peak" : ""}`;
    if (view.exact) {
        const asked = view.blocks.reduce((sum, block) => sum + block.asked, 0);
        return `${head}: ${eventText(op)}. ${whole(view.blocks.length)} blocks live, ${bytes(asked)} requested, in a pool of ${bytes(map.pool)}.`;
    }
    let [live, own] = [0, 0];
    for (let i = 0; i < map.cell_count; i++) {
        const cell = cellAt(map, view.at, i);
        own += cell.own;
        live += cell.live;
    }
    const part = (n) => Math.round((100 * n) / (map.cell_count * 15)) + " %";
    const rest = map.walked ? `, ${part(own)} metadata, ${part(map.cell_count * 15 - live - own)} free` : "";
    return `${head}: ${bytes(heap.live[view.at])} requested; of the pool of ${bytes(map.pool)}, about ${part(live)} live${rest}.`;
}

const threadText = (thread) => (heap.knows_threads ? `, thread ${thread === 255 ? "255 or later" : thread}` : "");

function blockText(block, op) {
    return `${whole(block.asked)} bytes requested, block of ${whole(block.size)}\nat +${whole(block.offset)} (${bytes(block.offset)})\nage ${whole(op - block.born)} operations${threadText(block.thread)}`;
}

function cellText(index) {
    const map = view.map;
    const cell = cellAt(map, view.at, index);
    const head = `+${bytes(index * map.cell_bytes)}, ${bytes(map.cell_bytes)}: ${Math.round((cell.live * 100) / 15)} % live, ${Math.round((cell.own * 100) / 15)} % metadata`;
    if (!cell.live) return head;
    return `${head}\nlargest block: ${heap.palettes.size.labels[cell.shade]} bytes\nage about ${whole(heap.moments[view.at] - heap.moments[cell.born])} operations${threadText(cell.thread)}`;
}

function fillBlockTable(op) {
    byId("map-blocks").hidden = !view.exact;
    if (!view.exact || !byId("map-blocks").open) return;
    const largest = [...view.blocks].sort((a, b) => b.asked - a.asked).slice(0, 40);
    byId("map-table").replaceWith(Object.assign(plainTable("The 40 largest", ["Offset", "Requested", "Usable", "Age", "Thread"],
        largest.map((block) => [whole(block.offset), whole(block.asked), whole(block.size), whole(op - block.born), heap.knows_threads ? String(block.thread) : "–"])), { id: "map-table" }));
}

/* ---- pointing at a byte of the pool, by pointer or keys ---- */

/* What is there: the text, and the bytes it is about. */
function thingAt(offset) {
    if (!view.exact) {
        const index = Math.min(view.map.cell_count - 1, Math.floor(offset / view.map.cell_bytes));
        return { text: cellText(index), offset: index * view.map.cell_bytes, size: view.map.cell_bytes };
    }
    const block = view.blocks.find((each) => each.offset <= offset && offset < each.offset + each.size);
    if (block) return { text: blockText(block, operation()), offset: block.offset, size: block.size };
    return { text: `+${whole(offset)} (${bytes(offset)}): free or metadata`, offset, size: 1 };
}

/* Frames the part of it in one row of the picture. */
function markThing(thing, row) {
    const part = boxes(view.pen, thing.offset, thing.size).find((box) => Math.floor(box[1] / view.pen.rowHeight) === row);
    byId("map-mark").hidden = !part || thing.size < 2;
    if (part) byId("map-mark").style.cssText = `left:${part[0] - 2}px;top:${part[1] - 2}px;width:${part[2] + 3}px;height:${part[3] + 4}px`;
}

function unpoint() {
    hideTip();
    byId("map-mark").hidden = true;
}

function pointAt(event) {
    const box = byId("map").getBoundingClientRect();
    const each = view.map.pool / MAP_ROWS;
    const row = Math.min(MAP_ROWS - 1, Math.max(0, Math.floor(((event.clientY - box.top) / box.height) * MAP_ROWS)));
    const offset = Math.min(view.map.pool - 1, Math.floor((row + Math.min(0.9999, Math.max(0, (event.clientX - box.left) / box.width))) * each));
    const thing = thingAt(offset);
    markThing(thing, row);
    showTip(thing.text, event.clientX, event.clientY);
}

/* Left and right go from block to block or cell to cell, up and down by rows. */
function nextOffset(key) {
    const at = view.cursor ?? 0;
    const each = Math.ceil(view.map.pool / MAP_ROWS);
    if (key === "ArrowUp") return at - each;
    if (key === "ArrowDown") return at + each;
    const back = key === "ArrowLeft";
    if (!view.exact) return at + (back ? -view.map.cell_bytes : view.map.cell_bytes);
    const starts = view.blocks.map((block) => block.offset).filter((offset) => (back ? offset < at : offset > at));
    return starts.length ? (back ? Math.max(...starts) : Math.min(...starts)) : at;
}

function pointByKey(event) {
    if (event.key === "Escape") hideTip();
    if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
    view.cursor = Math.min(view.map.pool - 1, Math.max(0, nextOffset(event.key)));
    drawMap();
    const thing = thingAt(view.cursor);
    const box = byId("map").getBoundingClientRect();
    const each = view.map.pool / MAP_ROWS;
    byId("map-state").textContent = thing.text;
    showTip(thing.text, box.left + ((view.cursor % each) / each) * box.width, box.top + (Math.floor(view.cursor / each) * box.height) / MAP_ROWS);
}

/* ---- controls ---- */

function drawMap() {
    if (!view.map) return;
    const op = operation();
    const pen = openCanvas();
    view.blocks = view.exact ? liveAt(view.map, op) : [];
    fillBytes(pen, colour("map-free"), 0, view.map.pool);
    drawCells(pen, view.exact ? momentOf(op) : view.at);
    if (view.exact) drawBlocks(pen, op);
    if (known(view.cursor)) outline(pen, thingAt(view.cursor).offset, thingAt(view.cursor).size, []);
    drawScale(pen);
    drawLine();
    byId("map-state").textContent = stateText(op);
    byId("map-at").setAttribute("aria-valuetext", `operation ${op + 1}`);
    byId("map").setAttribute("aria-label", `Heap map of ${view.map.name}; arrow keys go from block to block`);
    fillBlockTable(op);
}

function moveTo(at) {
    const slider = byId("map-at");
    slider.value = at;
    view.at = Number(slider.value);
    drawMap();
}

/* Chooses allocator and part, and stays near the operation that was shown, or goes to `op`. */
function chooseMap(op) {
    view.map = heap.maps[byId("map-allocator").selectedIndex];
    decodeMap(view.map);
    view.cursor = null;
    view.exact = byId("map-part").value === "exact";
    byId("map-at").max = (view.exact ? heap.window_last - heap.window_first + 1 : heap.moments.length) - 1;
    byId("map-about").textContent = aboutMap(view.map);
    const far = heap.moments.map((moment) => Math.abs(moment - op));
    moveTo(view.exact ? op - heap.window_first : far.indexOf(Math.min(...far)));
}

function aboutMap(map) {
    let text = `The pool of ${whole(map.pool)} bytes as ${MAP_ROWS} rows, the lowest address at the top left; one row is ${bytes(map.pool / MAP_ROWS)}. `;
    if (heap.whole) text += "Every block of the run is drawn. A block allocated at this step has an outline, one freed a dashed one. ";
    else if (!heap.too_many) text += `The run is too long for every block: this page contains the blocks of ${whole(heap.window_last - heap.window_first + 1)} operations around the peak. `;
    text += `The whole run is drawn from ${heap.moments.length} looks, each where most bytes are live in its interval, at ${whole(map.cell_count)} cells of the pool; the height of a cell is the share of it that is live, its colour that of the block that takes most of it.`;
    if (!map.walked) text += " A plugin does not report its metadata: all other bytes are drawn as free.";
    if (map.failed) text += ` In this pool ${whole(map.failed)} operations failed.`;
    return text;
}

function play(on) {
    const button = byId("map-play");
    clearInterval(view.timer);
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Stop" : "Play";
    byId("map-state").setAttribute("aria-live", on ? "off" : "polite");
    if (!on) return;
    const last = Number(byId("map-at").max);
    const stride = Math.max(1, Math.round(last / 240));
    if (view.at >= last) moveTo(0);
    view.timer = setInterval(() => (view.at < last ? moveTo(view.at + stride) : play(false)), 60);
}

/* The map with its title and legend as a picture of its own. */
function savePicture() {
    const map = byId("map");
    const ratio = window.devicePixelRatio || 1;
    const canvas = element("canvas", { width: map.width + 48 * ratio, height: map.height + 130 * ratio });
    const pen = canvas.getContext("2d");
    const keys = [...byId("map-legend").children];
    pen.scale(ratio, ratio);
    pen.fillStyle = colour("paper");
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = colour("ink");
    pen.font = "600 20px system-ui, sans-serif";
    pen.fillText(`Heap map of ${view.map.name}`, 24, 36);
    pen.font = "13px system-ui, sans-serif";
    pen.fillText(stateText(operation()), 24, 58, map.clientWidth);
    pen.drawImage(map, 24, 72, map.clientWidth, map.clientHeight);
    const each = map.clientWidth / keys.length;
    keys.forEach((key, i) => {
        const mark = key.querySelector(".swatch");
        const y = map.clientHeight + 92;
        if (mark) { pen.fillStyle = getComputedStyle(mark).backgroundColor; pen.fillRect(24 + i * each, y, 12, 12); }
        pen.fillStyle = colour("ink");
        pen.fillText(key.textContent, 24 + i * each + (mark ? 17 : 0), y + 11, each - 20);
    });
    element("a", { href: canvas.toDataURL("image/png"), download: `heap-map-${view.map.name.replaceAll("/", "-")}.png` }).click();
}

function buildColouring() {
    for (const by of Object.keys(heap.palettes)) {
        const choice = element("input", { type: "radio", name: "map-by", value: by, checked: by === view.by, disabled: by === "thread" && !heap.knows_threads,
            onchange: () => { view.by = by; drawLegend(); drawMap(); } });
        byId("map-colour").append(element("label", {}, choice, by));
    }
}

function buildParts() {
    const parts = [["run", "whole run"]];
    if (!heap.too_many) parts.unshift(["exact", heap.whole ? "each operation" : `each operation near the peak`]);
    byId("map-part").append(...parts.map(([value, text]) => element("option", { value }, text)));
}

function buildMap() {
    byId("map-all").hidden = !heap.maps.length;
    byId("map-none").hidden = heap.maps.length > 0;
    if (!heap.maps.length) return;
    const advised = heap.maps.some((map) => map.name === taken) ? taken : data.recommendations.balanced.built_in;
    byId("map-allocator").append(...heap.maps.map((map) => element("option", { selected: map.name === advised }, map.name)));
    buildColouring();
    buildParts();
    drawLegend();
    byId("map-allocator").onchange = byId("map-part").onchange = () => chooseMap(operation());
    byId("map-at").oninput = (event) => moveTo(event.target.value);
    byId("map-back").onclick = () => moveTo(view.at - 1);
    byId("map-forth").onclick = () => moveTo(view.at + 1);
    byId("map-peak").onclick = () => chooseMap(heap.peak);
    byId("map-play").onclick = () => play(byId("map-play").getAttribute("aria-pressed") === "false");
    byId("map-save").onclick = savePicture;
    byId("map-blocks").ontoggle = drawMap;
    byId("map").onpointermove = pointAt;
    byId("map").onpointerleave = byId("map").onblur = unpoint;
    byId("map").onkeydown = pointByKey;
    chooseMap(heap.peak);
}
