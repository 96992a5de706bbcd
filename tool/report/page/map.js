/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The heap map: the pool as rows of bytes, at one moment of the run. "Each operation" draws every block
 * of a part of the run; "whole run" draws cells that were sampled at intervals. Both come from
 * tool/map/encode.c.
 */
const MAP_ROWS = 32;
const maps = data.maps || [];
const shown = { map: null, exact: false, at: 0, timer: 0 };

function* numbers(text) {
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const digit = new Map([...letters].map((letter, i) => [letter, i]));
    let number = 0;
    let weight = 1;
    for (const letter of text) {
        const value = digit.get(letter);
        number += (value % 32) * weight;
        weight *= 32;
        if (value >= 32) continue;
        yield number;
        number = 0;
        weight = 1;
    }
}

/* One array of cells for each moment. */
function decodeCells(map) {
    const from = numbers(map.cells);
    const next = () => from.next().value;
    let last = new Uint8Array(map.cell_count);
    map.looks = map.moments.map(() => {
        last = last.slice();
        let cell = 0;
        for (let changes = next(); changes; changes--) {
            cell += next();
            last[cell++] = next();
        }
        return last;
    });
}

function decodeBlocks(map) {
    const all = [...numbers(map.blocks)];
    let born = map.window_first - 1;
    map.list = [];
    for (let i = 0; i < all.length; i += 5) {
        born += all[i];
        map.list.push({ born, died: all[i + 1] ? born + all[i + 1] : Infinity, offset: all[i + 2], asked: all[i + 3],
            size: all[i + 3] + all[i + 4] });
    }
}

function decode(map) {
    if (map.looks) return;
    decodeCells(map);
    decodeBlocks(map);
}

/* ---- what there is at a moment ---- */

const operation = () => (shown.exact ? shown.map.window_first + shown.at : shown.map.moments[shown.at]);
const liveAt = (map, op) => map.list.filter((block) => block.born <= op && op < block.died);
const goneAt = (map, op) => map.list.filter((block) => block.died === op);

function lookAt(map, op) {
    let at = 0;
    while (at + 1 < map.moments.length && map.moments[at + 1] <= op) at++;
    return map.looks[at];
}

/* ---- drawing ---- */

/* Fills the bytes from `offset` on, which may run over several rows. */
function fillBytes(pen, offset, size, share = 1) {
    const map = shown.map;
    const each = map.pool / MAP_ROWS;
    const height = pen.rowHeight - 2;
    for (let row = Math.floor(offset / each); row < MAP_ROWS && row * each < offset + size; row++) {
        const from = Math.max(offset, row * each);
        const to = Math.min(offset + size, (row + 1) * each);
        const x = ((from - row * each) / each) * pen.width;
        const width = Math.max(((to - from) / each) * pen.width, 0.6);
        pen.fillRect(x, row * pen.rowHeight + 1 + height * (1 - share), width, height * share);
    }
}

function openCanvas() {
    const canvas = byId("map");
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const rowHeight = width < 600 ? 9 : 13;
    canvas.style.height = rowHeight * MAP_ROWS + "px";
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(rowHeight * MAP_ROWS * ratio);
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.rowHeight = rowHeight;
    pen.width = width;
    return pen;
}

function drawCells(pen, cells) {
    const map = shown.map;
    cells.forEach((value, i) => {
        const own = value % 16;
        const live = (value - own) / 16;
        const at = i * map.cell_bytes;
        const size = Math.min(map.cell_bytes, map.pool - at);
        pen.fillStyle = colour("map-own");
        if (own) fillBytes(pen, at, size, shown.exact ? own / 15 : (own + live) / 15);
        pen.fillStyle = colour("map-live");
        if (live && !shown.exact) fillBytes(pen, at, size, live / 15);
    });
}

function drawBlocks(pen, op) {
    const paint = (name, blocks) => {
        pen.fillStyle = colour(name);
        for (const block of blocks) fillBytes(pen, block.offset, block.size);
    };
    const live = liveAt(shown.map, op);
    paint("map-live", live.filter((block) => block.born !== op));
    paint("map-gone", goneAt(shown.map, op));
    paint("map-fresh", live.filter((block) => block.born === op));
}

/* ---- words ---- */

const place = (block) => `${whole(block.asked)} bytes at ${whole(block.offset)}`;

function eventText(op) {
    const born = shown.map.list.filter((block) => block.born === op)[0];
    const died = goneAt(shown.map, op)[0];
    if (born && died && born.offset === died.offset) return `resized in place to ${place(born)}`;
    if (born && died) return `moved ${place(died)} to ${place(born)}`;
    if (born) return `allocated ${place(born)}`;
    return died ? `freed ${place(died)}` : "nothing changed";
}

function stateText(op) {
    const map = shown.map;
    const head = `After operation ${whole(op + 1)} of ${whole(data.operations)}`;
    if (shown.exact) {
        const live = liveAt(map, op);
        const asked = live.reduce((sum, block) => sum + block.asked, 0);
        return `${head}: ${eventText(op)}. ${whole(live.length)} blocks live, ${whole(asked)} bytes requested, in a pool of ${bytes(map.pool)}.`;
    }
    let [live, own] = [0, 0];
    for (const value of lookAt(map, op)) {
        own += value % 16;
        live += Math.floor(value / 16);
    }
    const all = map.cell_count * 15;
    const part = (n) => Math.round((100 * n) / all) + " %";
    if (!map.walked) return `${head}: of the pool of ${bytes(map.pool)}, about ${part(live)} live.`;
    return `${head}: of the pool of ${bytes(map.pool)}, about ${part(live)} live, ${part(own)} metadata, ${part(all - live - own)} free.`;
}

function fillBlockTable(op) {
    byId("map-blocks").hidden = !shown.exact;
    if (!shown.exact || !byId("map-blocks").open) return;
    const largest = liveAt(shown.map, op).sort((a, b) => b.asked - a.asked).slice(0, 40);
    byId("map-table").replaceWith(Object.assign(plainTable("The 40 largest", ["Offset", "Requested", "Usable", "Age"],
        largest.map((block) => [whole(block.offset), whole(block.asked), whole(block.size),
            block.born < shown.map.window_first ? "older" : whole(op - block.born)])), { id: "map-table" }));
}

/* ---- controls ---- */

function drawMap() {
    if (!shown.map) return;
    const op = operation();
    const pen = openCanvas();
    pen.fillStyle = colour("map-free");
    fillBytes(pen, 0, shown.map.pool);
    drawCells(pen, lookAt(shown.map, op));
    if (shown.exact) drawBlocks(pen, op);
    const text = stateText(op);
    byId("map-state").textContent = text;
    byId("map-at").setAttribute("aria-valuetext", `operation ${op + 1}`);
    byId("map").setAttribute("aria-label", `Heap map of ${shown.map.name}`);
    fillBlockTable(op);
}

function moveTo(at) {
    const slider = byId("map-at");
    slider.value = at;
    shown.at = Number(slider.value);
    drawMap();
}

/* Chooses allocator and part, and stays near the operation that was shown, or goes to `op`. */
function chooseMap(op) {
    shown.map = maps[byId("map-allocator").selectedIndex];
    decode(shown.map);
    const map = shown.map;
    const hasBlocks = !map.too_many;
    const all = hasBlocks && map.window_first === 0 && map.window_last === data.operations - 1;
    const parts = [];
    if (hasBlocks) parts.push(["exact", all ? "each operation" : `each operation from ${whole(map.window_first + 1)} to ${whole(map.window_last + 1)}`]);
    parts.push(["run", `whole run, at ${map.moments.length} moments`]);
    const select = byId("map-part");
    const chosen = select.value;
    select.replaceChildren(...parts.map(([value, text]) => element("option", { value }, text)));
    if (parts.some(([value]) => value === chosen)) select.value = chosen;
    else if (!all) select.value = "run";
    shown.exact = select.value === "exact";
    byId("map-at").max = (shown.exact ? map.window_last - map.window_first + 1 : map.moments.length) - 1;
    byId("map-about").textContent = aboutMap(map, all, hasBlocks);
    const far = map.moments.map((moment) => Math.abs(moment - op));
    moveTo(shown.exact ? op - map.window_first : far.indexOf(Math.min(...far)));
}

function aboutMap(map, all, hasBlocks) {
    let text = `The pool of ${whole(map.pool)} bytes as ${MAP_ROWS} rows, the lowest address at the top left; one row is ${bytes(map.pool / MAP_ROWS)}. `;
    text += "The height of a colour is its share of the bytes there. ";
    if (all) text += "Every block of the run is drawn.";
    else if (hasBlocks) text += `The run is too long for every block: this page contains the blocks of ${whole(map.window_last - map.window_first + 1)} operations around the peak; the whole run is drawn from ${map.moments.length} samples of ${whole(map.cell_count)} cells of the pool.`;
    else text += `There are too many blocks for this page: the run is drawn from ${map.moments.length} samples of ${whole(map.cell_count)} cells of the pool.`;
    if (!map.walked) text += " A plugin does not report its metadata: all other bytes are drawn as free.";
    if (map.failed) text += ` In this pool ${whole(map.failed)} operations failed.`;
    return text;
}

function play(on) {
    const button = byId("map-play");
    clearInterval(shown.timer);
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Stop" : "Play";
    byId("map-state").setAttribute("aria-live", on ? "off" : "polite");
    if (!on) return;
    const last = Number(byId("map-at").max);
    const stride = Math.max(1, Math.round(last / 300));
    if (shown.at >= last) moveTo(0);
    shown.timer = setInterval(() => (shown.at < last ? moveTo(shown.at + stride) : play(false)), 60);
}

function buildMap() {
    byId("map-all").hidden = !maps.length;
    byId("map-none").hidden = maps.length > 0;
    if (!maps.length) return;
    const advised = data.recommendations.balanced.built_in;
    byId("map-allocator").append(...maps.map((map) => element("option", { selected: map.name === advised }, map.name)));
    byId("map-allocator").onchange = byId("map-part").onchange = () => chooseMap(operation());
    byId("map-at").oninput = (event) => moveTo(event.target.value);
    byId("map-back").onclick = () => moveTo(shown.at - 1);
    byId("map-forth").onclick = () => moveTo(shown.at + 1);
    byId("map-play").onclick = () => play(byId("map-play").getAttribute("aria-pressed") === "false");
    byId("map-blocks").ontoggle = drawMap;
    chooseMap(peakOp());
}
