/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The headline, the facts at a glance, and the best allocator for each goal. */
const goals = { speed: "Highest speed", memory: "Smallest pool", worst: "Lowest worst case", balanced: "Balanced" };
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const names = allocators.map((row) => escaped(row.name)).sort((a, b) => b.length - a.length).join("|");
const nameOrAside = new RegExp(`(\\([^)]*\\))|(?<![\\w/-])(${names})(?![\\w/-])`, "g");

/* The allocator that the verdict is for; today's, when it says to keep that. */
const taken = data.advised;

/* The text with the names of allocators made strong and what stands in brackets quiet. */
function markUp(plain) {
    const text = plain.replaceAll(" %", "\u00a0%");
    const parts = [];
    let at = 0;
    for (const match of text.matchAll(nameOrAside)) {
        parts.push(text.slice(at, match.index));
        parts.push(match[1] ? element("span", { className: "aside" }, match[1]) : element("b", {}, match[2]));
        at = match.index + match[0].length;
    }
    return [...parts, text.slice(at)].filter((part) => part !== "");
}

function buildVerdict() {
    const [lead, ...more] = data.verdict.split("; ");
    document.title = "Allocator comparison: " + data.source;
    byId("source").textContent = data.source;
    byId("made").textContent = "acre " + data.acre;
    byId("verdict").append(...markUp(lead));
    byId("verdict-more").append(...markUp(more.join("; ")));
    byId("verdict-more").hidden = !more.length;
    byId("interrupted").hidden = !data.interrupted;
}

/* ---- facts ---- */

const fact = (name, figure, more) => element("div", {}, element("dt", {}, name), element("dd", {}, element("b", {}, figure), more));

/* The last number of the bucket that begins at `start`: eight buckets for each power of two. */
function bucketEnd(start) {
    return start < 8 ? start : start + 2 ** (Math.floor(Math.log2(start)) - 3) - 1;
}

function sizeFacts() {
    const sizes = data.profile.sizes;
    const all = sizes.reduce((sum, pair) => sum + pair[1], 0) || 1;
    const most = [...sizes].sort((a, b) => b[1] - a[1]).slice(0, 4);
    return element("div", { className: "sizes" }, element("dt", {}, "Biggest size classes, share of requests"), element("dd", {},
        ...most.map(([start, count]) => {
            const end = bucketEnd(start);
            return element("div", { className: "size" }, element("span", {}, end > start ? `${short(start)}–${short(end)} B` : `${short(start)} B`),
                element("i", { style: `width:${(100 * count) / most[0][1]}%` }), element("span", {}, Math.round((100 * count) / all) + " %"));
        })));
}

/* Two times in one unit: "5.8 ms of 31.0 ms". */
const duration = (part, all) => (all < 1 ? `${(1000 * part).toFixed(1)} ms of ${(1000 * all).toFixed(1)} ms` : `${part.toFixed(2)} s of ${all.toFixed(2)} s`);

function timeFact() {
    if (!known(data.malloc_seconds)) return fact("Time in malloc", "unknown", "record with --times to know");
    const share = (100 * data.malloc_seconds) / data.recorded_seconds;
    return fact("Time in malloc", percents(share), duration(data.malloc_seconds, data.recorded_seconds));
}

function buildFacts() {
    const threads = data.threads === 1 ? "1 thread" : whole(data.threads) + " threads";
    byId("facts").append(timeFact(),
        fact("Never freed", bytes(data.never_freed_bytes), data.never_freed === 1 ? "in 1 block" : `in ${whole(data.never_freed)} blocks`),
        fact("Peak live", bytes(data.peak_live_bytes), `in at most ${whole(data.peak_live_blocks)} blocks`),
        fact("Operations", short(data.operations), `${short(data.allocated)} allocated, ${threads}`), sizeFacts());
}

/* ---- a card for each goal ---- */

function figuresOf(row, goal) {
    const pool = goal === "memory" && known(row.smallest_pool_bytes) ? `, a pool of ${bytes(row.smallest_pool_bytes)}` : "";
    const parts = [`${known(timeOf(row)) ? timeOf(row).toFixed(1) + " ns/op" : "not timed"}, ${known(memoryOf(row)) ? bytes(memoryOf(row)) : "memory not known"}${pool}`];
    if (!today || row === today) return parts;
    const differences = [["time", change(timeOf(row), timeOf(today))], ["memory", change(memoryOf(row), memoryOf(today))]].filter((pair) => pair[1]);
    parts.push(element("br"), "against today: ");
    differences.forEach(([what, text], i) => parts.push(i ? ", " : "", what + " ", element("span", { className: text.startsWith("−") ? "better" : "" }, text)));
    return parts;
}

function buildAdvice() {
    for (const [goal, title] of Object.entries(goals)) {
        const advice = data.recommendations[goal];
        const row = advice && named(advice.allocator);
        if (!advice) continue;
        const reasons = [advice.reason, advice.changes].filter(Boolean);
        byId("advice").append(element("div", {}, element("h3", {}, title),
            element("p", { className: "name" }, advice.allocator || "not measured"),
            ...(row ? [element("p", { className: "figures" }, ...figuresOf(row, goal))] : []),
            ...(reasons.length ? [element("details", {}, element("summary", {}, "Why"), ...reasons.map((text) => element("p", {}, text)))] : [])));
    }
}

/* ---- what the program really took, where it was run ---- */

function trialCells(trial, today) {
    const seconds = (v) => (known(v) ? v.toFixed(3) : "–");
    const memory = (v) => (known(v) ? bytes(v) : "–");
    const part = (ratio) => signed(100 * (ratio - 1));
    const other = trial !== today;
    return [trial.allocator + (trial.failed ? ` (ended with code ${trial.exit_code})` : ""), seconds(trial.seconds), other ? seconds(trial.predicted_seconds) : "–",
        other && known(trial.ratio) ? part(trial.ratio) : "–", other && known(trial.ratio) ? `${part(trial.ratio_low)} to ${part(trial.ratio_high)}` : "–", other && known(trial.predicted_seconds) && today.seconds ? part(trial.predicted_seconds / today.seconds) : "–",
        other && known(trial.predicted_seconds_low) && today.seconds ? `${part(trial.predicted_seconds_low / today.seconds)} to ${part(trial.predicted_seconds_high / today.seconds)}` : "–",
        memory(trial.resident_bytes), other ? memory(trial.predicted_resident_bytes) : "–"];
}

function buildVerification() {
    const found = data.verification;
    byId("verified").hidden = !found;
    if (!found) return;
    byId("verified-verdict").textContent = found.verdict;
    byId("verified-table").append(plainTable(`Median of ${found.runs} runs in turn, ${found.clock} time`,
        ["On", "Real, s", "Predicted", "Change", "Bounds, 95 %", "Predicted", "Bounds", "Peak RSS", "Predicted"], found.trials.map((trial) => trialCells(trial, found.trials[0]))));
}

/* ---- to share it ---- */

/* The verdict and the main figures as Markdown. */
function summary() {
    const rows = allocators.filter((row) => known(timeOf(row))).sort((a, b) => timeOf(a) - timeOf(b));
    return [`**${data.verdict}**`, "", "`" + data.source.replaceAll("`", "'") + "`", "", "| allocator | ns/op | memory |", "| --- | ---: | ---: |",
        ...rows.map((row) => `| ${row.name}${row === today ? " (today)" : ""} | ${timeOf(row).toFixed(1)} | ${known(memoryOf(row)) ? bytes(memoryOf(row)) : "–"} |`), ""].join("\n");
}

/* A page that was opened from a file may not be given the clipboard. */
function copyText(text) {
    const area = element("textarea", { value: text, className: "hidden" });
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
}

function buildActions() {
    const copy = byId("copy");
    copy.onclick = async () => {
        let copied = true;
        try { await navigator.clipboard.writeText(summary()); } catch { copied = copyText(summary()); }
        copy.textContent = copied ? "Copied" : "Not copied";
        setTimeout(() => { copy.textContent = "Copy summary"; }, 2000);
        copy.focus();
    };
    byId("print").onclick = () => window.print();
}
