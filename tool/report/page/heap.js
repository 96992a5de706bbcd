/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The data of the heap maps, decoded; see tool/map/encode.c. */
const SHADES = 8;
const heap = data.heap || { maps: [] };
heap.whole = !heap.too_many && heap.window_first === 0 && heap.window_last === data.operations - 1;

/* The same shades as in tool/map/palette.c. */
function sizeShade(size) {
    let shade = 0;
    for (let most = 32; size > most && shade < SHADES - 1; most *= 4) shade++;
    return shade;
}

function ageShade(age) {
    let shade = SHADES - 1;
    for (let least = Math.floor(data.operations / 2); age < least && shade > 0; least = Math.floor(least / 2)) shade--;
    return shade;
}

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

/* A cell in one number: parts that are live and metadata, shade and thread, moment of birth. */
const cellAt = (map, at, index) => {
    const value = map.looks[at][index];
    return { own: value & 15, live: (value >> 4) & 15, shade: (value >> 8) & 7, thread: (value >> 11) & 255, born: value >> 19 };
};

function decodeCells(map) {
    const from = numbers(map.cells);
    const next = () => from.next().value;
    let last = new Int32Array(map.cell_count);
    map.looks = heap.moments.map(() => {
        last = last.slice();
        let cell = 0;
        for (let changes = next(); changes; changes--) {
            cell += next();
            let value = next();
            if (value >= 16) value += next() * 256 + next() * 2 ** 19;
            last[cell++] = value;
        }
        return last;
    });
}

function decodeHistory() {
    const all = [...numbers(heap.blocks)];
    let born = 0;
    heap.list = [];
    for (let i = 0; i < all.length; i += 4) {
        born += all[i];
        heap.list.push({ born, died: all[i + 1] ? born + all[i + 1] : Infinity, asked: all[i + 2], thread: all[i + 3] });
    }
}

/* The blocks of the history where this allocator has them. */
function decodePlaces(map) {
    const from = numbers(map.places);
    map.list = [];
    for (const block of heap.list) {
        const offset = from.next().value;
        if (offset) map.list.push({ ...block, offset: offset - 1, size: block.asked + from.next().value });
    }
}

function decodeMap(map) {
    if (map.looks) return;
    if (!heap.list) decodeHistory();
    decodeCells(map);
    decodePlaces(map);
}

const liveAt = (map, op) => map.list.filter((block) => block.born <= op && op < block.died);
const goneAt = (map, op) => map.list.filter((block) => block.died === op);

/* Bytes live after each operation of the window. */
function liveInWindow() {
    if (heap.inWindow) return heap.inWindow;
    const count = heap.window_last - heap.window_first + 1;
    const steps = new Float64Array(count + 1);
    for (const block of heap.list) {
        steps[Math.max(0, block.born - heap.window_first)] += block.asked;
        if (block.died <= heap.window_last) steps[block.died - heap.window_first] -= block.asked;
    }
    let live = 0;
    heap.inWindow = Array.from({ length: count }, (_, i) => (live += steps[i]));
    return heap.inWindow;
}
