"""How the groups of a layout lie for a device, which reads memory in wide runs."""

from dataclasses import dataclass
from itertools import groupby
from math import prod

from rmda_ref.layout import Groups, Rows, Segments, Shape

TILE = 2048  # entries of a block of threads that keeps its groups on the chip
MOST_GROUPS = 256  # of a tile: a thread for each
NARROWEST = 32  # consecutive entries of a line: narrower tiles would waste what memory gives at once
CHUNK = 1024  # consecutive entries of a block where groups are longer than a tile
BLOCKS = 1024  # about how many blocks a step has at least, if there is the work for it
LEAST_LINES = 8  # of a block of a long group, so that its sums are worth their place


@dataclass(frozen=True)
class Panel:
    """``batches`` times ``lines`` lines of ``groups`` runs of ``run`` consecutive entries.

    Group (k, r) has run r of every line of batch k. Rows are one line whose runs they are; columns are as many lines as
    they are long, in runs of one entry; the channels of a convolution lie between the two.
    """

    batches: int
    lines: int
    groups: int
    run: int

    @property
    def line(self) -> int:
        """Entries of a line."""
        return self.groups * self.run

    @property
    def size(self) -> int:
        """Entries of a batch."""
        return self.lines * self.line

    @property
    def n_groups(self) -> int:
        return self.batches * self.groups


@dataclass(frozen=True)
class Tiles:
    """A panel cut into tiles that hold whole groups: ``per_tile`` neighbouring runs of all lines of a batch."""

    panel: Panel
    per_tile: int

    @property
    def blocks(self) -> int:
        """Blocks of threads, one a tile."""
        return self.panel.batches * -(-self.panel.groups // self.per_tile)


@dataclass(frozen=True)
class Strips:
    """A panel of groups too long for a tile: blocks take ``per_strip`` lines of ``per_chunk`` neighbouring runs.

    ``size`` entries of a batch exist; the last line may be cut short.
    """

    panel: Panel
    size: int
    per_chunk: int
    per_strip: int

    @property
    def chunks(self) -> int:
        return -(-self.panel.groups // self.per_chunk)

    @property
    def strips(self) -> int:
        """Parts in which a group is summed."""
        return -(-self.panel.lines // self.per_strip)

    @property
    def width(self) -> int:
        """Consecutive entries of a chunk."""
        return self.per_chunk * self.panel.run

    @property
    def parts(self) -> int:
        """Parts of all groups."""
        return self.panel.n_groups * self.strips

    @property
    def blocks(self) -> int:
        return self.panel.batches * self.chunks * self.strips


def cut(layout: Rows | Groups | Segments, shape: Shape) -> Tiles | Strips | None:
    """The groups of an array of this shape as tiles or, where they are too long for that, strips.

    None where they are no panel: `Groups`, and groups along axes that lie between others more than once.
    """
    panel = panel_of(layout, shape)
    if panel is None or panel.size == 0 or panel.n_groups == 0:
        return None
    per_tile = min(TILE // (panel.lines * panel.run), panel.groups, MOST_GROUPS)
    wide = panel.lines == 1 or per_tile * panel.run >= min(NARROWEST, panel.line)
    if per_tile > 0 and wide:
        return Tiles(panel, per_tile)
    return _strips(panel)


def _strips(panel: Panel) -> Strips | None:
    size = panel.size
    if panel.lines == 1:  # long rows: as many lines as cover one
        panel = Panel(panel.n_groups, -(-panel.run // CHUNK), 1, CHUNK)
        size //= panel.batches
    if panel.run > CHUNK:
        return None
    per_chunk = min(CHUNK // panel.run, panel.groups)
    alone = panel.batches * -(-panel.groups // per_chunk)  # blocks, if none shared a group
    strips = max(1, min(-(-BLOCKS // alone), panel.lines // LEAST_LINES))
    return Strips(panel, size, per_chunk, -(-panel.lines // strips))


def panel_of(layout: Rows | Groups | Segments, shape: Shape) -> Panel | None:
    """The panel that the groups are, if they are one.

    >>> panel_of(Rows(-1), (6, 10))
    Panel(batches=1, lines=1, groups=6, run=10)
    >>> panel_of(Rows(0), (6, 10))
    Panel(batches=1, lines=6, groups=10, run=1)
    >>> panel_of(Rows((0, 2, 3)), (8, 4, 3, 3))  # the input channels of a convolution
    Panel(batches=1, lines=8, groups=4, run=9)
    >>> panel_of(Segments(4, axis=0), (8, 5))
    Panel(batches=2, lines=4, groups=5, run=1)
    """
    match layout:
        case Groups():
            return None
        case Segments():
            shape, layout = layout.split(shape)
    axes = layout.axes(shape)
    # Axes of one entry are nowhere; neighbours of one kind are one axis.
    within = [(axis in axes, n) for axis, n in enumerate(shape) if n != 1]
    merged = [(kind, prod(n for _, n in part)) for kind, part in groupby(within, key=lambda pair: pair[0])]
    sizes = [1, 1, 1, 1]  # kept, within, kept, within
    at = 3
    for kind, n in reversed(merged):
        at -= kind != (at % 2 == 1)
        if at < 0:
            return None
        sizes[at] = n
        at -= 1
    return Panel(*sizes)
