"""A moment as a picture (SVG): the line with those around it, what was attended to, and the moment beside what is usual."""

from html import escape

WIDTH, STRIP, BARS, BEAT = 480, 120, 26, 170  # of the parts of the picture, in its own units
FROM_MS, TO_MS = -4000, 1700  # what of the line is shown
SQUARE_MS = 200  # a large square of ECG paper; the key says so
KEY = "squares: 0.2 s; dashed: what is usual"
NAMED = 3  # how many of the most attended are named
STYLE = """<style>
text{font:13px system-ui,sans-serif;fill:#5a646e}.here{fill:#0b6e99;font-weight:600}.line{fill:none;stroke:#1d2730;stroke-width:1.4}
.this{fill:none;stroke:#0b6e99;stroke-width:2}.usual{fill:none;stroke:#b0732a;stroke-width:1.4;stroke-dasharray:4 3}
.grid{stroke:#e3a9a9;stroke-width:.5;opacity:.6}.band{fill:#0b6e99;opacity:.09}.bar{fill:#0b6e99;opacity:.75}
@media(prefers-color-scheme:dark){text{fill:#9aa7b2}.here{fill:#5cc3ee}.line{stroke:#e2e8ed}.this{stroke:#5cc3ee}
.usual{stroke:#e0a763}.grid{stroke:#7a4a4a}.band,.bar{fill:#5cc3ee}}
</style>"""


def most_attended(attended):
    """In words, which of the latest moments were weighed most. attended: a weight for each, newest last."""
    best = sorted(range(len(attended)), key=lambda i: -attended[i])[:NAMED]
    return ", ".join("%s %.0f %%" % ("itself" if i == len(attended) - 1 else "%d back" % (len(attended) - 1 - i), 100 * attended[i])
                     for i in best) or "not told"


class Axes:
    """From a time in ms and a height to the picture. box: (top, height); span: (from, to) in ms; limits: (low, high)."""

    def __init__(self, box, span, limits):
        self.box, self.span = box, span
        self.low, self.extent = limits[0], max(limits[1] - limits[0], 1e-6)

    def x(self, ms):
        """Place of a time."""
        return WIDTH * (ms - self.span[0]) / (self.span[1] - self.span[0])

    def y(self, value):
        """Place of a height."""
        return self.box[0] + self.box[1] * (1 - (value - self.low) / self.extent)

    def grid(self):
        """Lines of ECG paper, each a large square apart."""
        first = -(-self.span[0] // SQUARE_MS) * SQUARE_MS
        return "".join('<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>' % (self.x(ms), self.x(ms), self.box[0], sum(self.box))
                       for ms in range(int(first), int(self.span[1]) + 1, SQUARE_MS))

    def line(self, points, kind):
        """A line through (ms, value)."""
        return '<polyline class="%s" points="%s"/>' % (kind, " ".join("%.1f,%.1f" % (self.x(ms), self.y(v)) for ms, v in points))


def limits_of(*lines):
    """Lowest and highest value of some lines, with a margin."""
    values = [value for line in lines for value in line]
    margin = .06 * (max(values) - min(values) or 1)
    return min(values) - margin, max(values) + margin


def pieces(trace):
    """[(ms of the middle, guess, [(ms, value)])] of a moment and those around it, in order, each cut where the next begins."""
    step = 1000 / trace["rate_hz"]
    half = len(trace["line"]) * step / 2
    all_ = sorted([(near["apart_ms"], near["guess"], near["line"]) for near in trace["around"]] + [(0, "", trace["line"])], key=lambda p: p[0])
    cuts = [-1e9, *((a[0] + b[0]) / 2 for a, b in zip(all_, all_[1:])), 1e9]
    return [(apart, label, [(apart - half + i * step, value) for i, value in enumerate(line) if begin <= apart - half + i * step <= end])
            for (apart, label, line), begin, end in zip(all_, cuts, cuts[1:])]


def strip(trace, guess, attended):
    """The line around the moment, what was guessed of each part, and under it how much each was attended to."""
    found = [piece for piece in pieces(trace) if FROM_MS <= piece[0] <= TO_MS]
    half = len(trace["line"]) * 500 / trace["rate_hz"]
    axes = Axes((20, STRIP - 20), (found[0][0] - half, found[-1][0] + half), limits_of(*[[v for _, v in points] for _, _, points in found]))
    here = [apart for apart, _, _ in found].index(0)
    out = [axes.grid(), '<rect class="band" x="%.1f" y="0" width="%.1f" height="%d"/>' % (axes.x(-half), axes.x(half) - axes.x(-half), STRIP)]
    for i, (apart, label, points) in enumerate(found):
        out += [axes.line(points, "line" if apart else "this"),
                '<text class="%s" x="%.1f" y="14" text-anchor="middle">%s</text>' % ("" if apart else "here", axes.x(apart), escape(label or guess + "?")),
                bar(axes.x(apart), attended, here - i)]
    return "".join(out)


def bar(x, attended, ago):
    """How much the moment `ago` was attended to, as a bar at x; nothing for one that came later."""
    if not 0 <= ago < len(attended):
        return ""
    height = (BARS - 4) * attended[-1 - ago] / max(attended)
    return '<rect class="bar" x="%.1f" y="%.1f" width="14" height="%.1f"/>' % (x - 7, STRIP + BARS - height, height)


def close(trace):
    """The moment alone, on what is usual."""
    step, top = 1000 / trace["rate_hz"], STRIP + BARS + 30
    usual = trace.get("usual", [])
    axes = Axes((top, BEAT), (0, len(trace["line"]) * step), limits_of(trace["line"], usual))
    lines = [(usual, "usual"), (trace["line"], "this")]
    return axes.grid() + "".join(axes.line([(i * step, value) for i, value in enumerate(line)], kind) for line, kind in lines if line)


def text(y, words):
    """A line of words."""
    return '<text x="2" y="%d">%s</text>' % (y, escape(words))


def drawn(facts):
    """The SVG of what gateway.attention.desk tells of a moment."""
    trace, words = facts.get("trace"), "attended to: " + most_attended(facts["attended"])
    height = STRIP + BARS + 54 + BEAT if trace else 40
    body = text(24, words)
    if trace:
        body = (strip(trace, facts["guess"], facts["attended"]) + text(STRIP + BARS + 18, words) + close(trace)
                + text(height - 6, KEY))
    title = "%s %d: %s (%.0f %%)" % (facts["stream"], facts["seq"], facts["guess"], 100 * facts["share"])
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img"><title>%s</title>%s%s</svg>\n'
            % (WIDTH, height, escape(title), STYLE, body))
