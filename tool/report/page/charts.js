/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Charts: by uPlot where it is in the page, else as SVG. Each has a table of the same numbers.
 * A chart is { id, title, about, x, series: [{ name, colour, values, filled, stepped }], showX, showY, xLabel,
 * logX, logY, binary, binaryX, bars, xRange, yRange, overlay, rows, keys }; bars stand at 0, 1, 2 ... and showX names
 * them; binary: marks at powers of two; overlay(parent, toX, toY, width, height) adds elements over the chart.
 */
const HEIGHT = 250;

function line(values, tag, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (values) made.textContent = values;
    return made;
}

function range(chart) {
    if (chart.yRange) return chart.yRange;
    const all = chart.series.flatMap((s) => s.values).filter((v) => known(v) && (!chart.logY || v > 0));
    const top = Math.max(...all, chart.logY ? 1e-9 : 1e-12);
    return chart.logY ? [Math.min(...all, top / 10), top] : [0, top];
}

const scale = (log, low, high, from, to) => {
    const f = log ? Math.log10 : (v) => v;
    const span = f(high) - f(low) || 1;
    return (v) => from + ((f(v) - f(low)) / span) * (to - from);
};

const powersOfTwo = Array.from({ length: 50 }, (_, i) => 2 ** i);

/* Powers of ten, with 2 and 5 between where there is room; or powers of two. */
function logTicks(low, high, count, binary) {
    const found = [];
    const steps = binary ? [1] : Math.log10(high / low) * 3 <= count * 2 ? [1, 2, 5] : [1];
    const base = binary ? 2 : 10;
    const every = binary ? Math.ceil(Math.log2(high / low) / count) : Math.ceil(Math.log10(high / low) / count);
    for (let p = Math.floor(Math.log(low) / Math.log(base)); base ** p <= high; p += Math.max(1, every))
        for (const step of steps) found.push(step * base ** p);
    return found.filter((v) => v >= low && v <= high);
}

function ticks(log, low, high, count, binary) {
    if (log) return logTicks(low, high, count, binary);
    const found = [];
    const rough = (high - low) / count || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = (binary ? powersOfTwo : [1, 2, 5, 10].map((m) => m * power)).find((s) => s >= rough);
    for (let v = Math.ceil(low / step) * step; v <= high + step / 1e6; v += step) found.push(v);
    return found;
}

function svgBars(svg, chart, toX, toY, width) {
    const each = (width / chart.x.length) * 0.8 / chart.series.length;
    chart.series.forEach((s, k) => s.values.forEach((v, i) => {
        const top = toY(v || 0);
        svg.append(line(null, "rect", { x: toX(i) + (k - chart.series.length / 2) * each, y: top, width: Math.max(each - 1, 0.5),
            height: Math.max(toY(0) - top, 0), fill: colour(s.colour) }));
    }));
}

function svgLines(svg, chart, toX, toY) {
    for (const s of chart.series) {
        let path = "";
        let pen = "M";
        s.values.forEach((v, i) => {
            if (!known(v) || (chart.logY && v <= 0)) pen = s.spans ? pen : "M";
            else {
                if (s.stepped && pen === "L") path += "H" + toX(chart.x[i]).toFixed(1);
                path += pen + toX(chart.x[i]).toFixed(1) + " " + toY(v).toFixed(1);
                pen = "L";
            }
        });
        svg.append(line(null, "path", { d: path, fill: "none", stroke: colour(s.colour), "stroke-width": 1.8 }));
    }
}

function drawSvg(chart, plot) {
    const width = Math.max(plot.clientWidth, 240);
    const height = chart.height || HEIGHT;
    const [left, right, top, bottom] = [62, 12, 8, 36];
    const [low, high] = range(chart);
    const svg = line(null, "svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": chart.title || chart.label });
    const ends = chart.xRange || (chart.bars ? [-0.5, chart.x.length - 0.5] : [chart.x[0], chart.x[chart.x.length - 1]]);
    const toX = scale(chart.logX, ends[0], ends[1], left, width - right);
    const toY = scale(chart.logY, low, high, height - bottom, top);
    for (const v of ticks(chart.logY, low, high, 5, chart.binary)) {
        svg.append(line(null, "line", { x1: left, x2: width - right, y1: toY(v), y2: toY(v), stroke: colour("line") }));
        svg.append(line(chart.showY(v), "text", { x: left - 6, y: toY(v) + 4, "text-anchor": "end" }));
    }
    const marks = chart.bars ? chart.x.filter((v) => v % Math.ceil(chart.x.length / (width / 70)) === 0)
                             : ticks(chart.logX, ends[0], ends[1], Math.max(2, Math.floor(width / 110)), chart.binaryX);
    for (const v of marks) svg.append(line(chart.showX(v), "text", { x: toX(v), y: height - bottom + 16, "text-anchor": "middle" }));
    svg.append(line(chart.xLabel, "text", { x: (left + width) / 2, y: height - 4, "text-anchor": "middle" }));
    if (chart.bars) svgBars(svg, chart, toX, toY, width - left - right);
    else svgLines(svg, chart, toX, toY);
    const over = element("div", { style: `position:absolute;left:${left}px;top:${top}px;width:${width - left - right}px;height:${height - top - bottom}px` });
    plot.replaceChildren(svg, over, legend(chart));
    if (chart.overlay) chart.overlay(over, (v) => toX(v) - left, (v) => toY(v) - top, width - left - right, height - top - bottom);
}

const legend = (chart) => element("ul", { className: "legend" }, ...(chart.keys || chart.series.map((s) => [s.name, s.colour]))
    .map(([name, fill]) => element("li", {}, swatch(`var(--${fill})`), name)));

function uplotAxis(chart, vertical) {
    const show = vertical ? chart.showY : chart.showX;
    const log = vertical ? chart.logY : chart.logX;
    const binary = vertical ? chart.binary : chart.binaryX;
    const splits = log ? { splits: (u, axis, low, high) => ticks(true, low, high, vertical ? 6 : Math.max(2, u.width / 80), binary) } : {};
    if (binary) splits.incrs = powersOfTwo;
    return { ...splits, stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 },
        size: vertical ? 62 : 34, label: vertical ? undefined : chart.xLabel, labelSize: 20, font: "12px system-ui, sans-serif",
        labelFont: "12px system-ui, sans-serif", space: vertical ? 36 : 56,
        values: (u, marks) => marks.map((v) => {
            if (!known(v)) return "";
            return chart.bars && !vertical && (v % 1 || !(v in chart.x)) ? "" : show(v);
        }) };
}

function uplotSeries(chart, s, k) {
    const made = { label: s.name, stroke: colour(s.colour), width: chart.bars ? 0 : 1.8, spanGaps: Boolean(s.spans), points: { show: false },
        value: (u, v) => (known(v) ? chart.showY(v) : "–") };
    if (chart.bars) made.paths = uPlot.paths.bars({ size: [0.4, 60], align: chart.series.length < 2 ? 0 : k ? 1 : -1 });
    if (s.stepped) made.paths = uPlot.paths.stepped({ align: 1 });
    if (chart.bars) made.fill = colour(s.colour);
    if (s.filled) made.fill = colour(s.filled);
    return made;
}

function drawUplot(chart, plot) {
    const [low, high] = range(chart);
    const dense = chart.series.map((s) => s.values.map((v) => (known(v) && (!chart.logY || v > 0) ? v : null)));
    const bounds = chart.logY || chart.yRange ? [low, high] : [0, high * 1.05];
    const across = chart.xRange || (chart.bars ? [-0.6, chart.x.length - 0.4] : null);
    const overlay = (u) => {
        u.over.replaceChildren(...[...u.over.children].filter((child) => /^u-/.test(child.className)));
        chart.overlay(u.over, (v) => u.valToPos(v, "x"), (v) => u.valToPos(v, "y"), u.over.clientWidth, u.over.clientHeight);
    };
    plot.replaceChildren();
    new uPlot({
        width: Math.max(plot.clientWidth, 240), height: chart.height || HEIGHT,
        scales: { x: { time: false, distr: chart.logX ? 3 : 1, ...(across ? { range: () => across } : {}) },
            y: { distr: chart.logY ? 3 : 1, range: () => bounds } },
        axes: [uplotAxis(chart, false), uplotAxis(chart, true)],
        cursor: { drag: { x: false, y: false }, ...(chart.keys ? { show: false } : {}) }, legend: { show: !chart.keys },
        hooks: chart.overlay ? { ready: [overlay] } : {},
        series: [{ label: chart.xLabel, value: (u, v) => (known(v) ? chart.showX(v) : "–") },
            ...chart.series.map((s, k) => uplotSeries(chart, s, k))],
    }, [chart.x, ...dense], plot);
    if (chart.keys) plot.append(legend(chart));
    plot.querySelectorAll("canvas").forEach((canvas) => {
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", chart.title || chart.label);
    });
}

/* At most 24 rows, evenly spaced. */
function chartTable(chart) {
    if (chart.rows) return plainTable(chart.label, chart.rows[0], chart.rows.slice(1));
    const step = Math.max(1, (chart.x.length - 1) / 23);
    const rows = [];
    for (let at = 0; at < chart.x.length - 1e-6; at += step) {
        const i = Math.round(at);
        rows.push([chart.showX(chart.x[i]), ...chart.series.map((s) => (known(s.values[i]) ? chart.showY(s.values[i]) : "–"))]);
    }
    return plainTable(chart.title, [chart.xLabel, ...chart.series.map((s) => s.name)], rows);
}

function drawChart(chart) {
    const old = byId("chart-" + chart.id);
    const plot = element("div", { className: "plot" });
    const title = chart.title || chart.label;
    const table = element("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": title + " as a table" }, chartTable(chart));
    const made = element("figure", { className: "chart", id: "chart-" + chart.id }, ...(chart.title ? [element("h3", {}, chart.title)] : []),
        element("p", { className: "about" }, chart.about), plot,
        element("details", { open: old ? old.querySelector("details").open : false }, element("summary", {}, "Show data"), table));
    if (old) old.replaceWith(made);
    else byId(chart.within || "charts").append(made);
    if (!chart.x.length || !chart.series.some((s) => s.values.some(known))) plot.textContent = "No data for the selected allocators.";
    else if (typeof uPlot === "function") drawUplot(chart, plot);
    else drawSvg(chart, plot);
}
