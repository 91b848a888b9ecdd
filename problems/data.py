"""Images of handwritten digits, for the stochastic problems with no closed-form answer.

Two sources. ``digits``: 1797 images of 8x8 pixels bundled with scikit-learn (UCI Optical Recognition of
Handwritten Digits), always at hand. ``mnist``: 70000 images of 28x28 pixels (LeCun, Cortes & Burges,
http://yann.lecun.com/exdb/mnist, which also defines the IDX format), from four local files or from OpenML.
"""

import gzip
import math
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets

__all__ = ["DataError", "DataSource", "ImageData", "load"]

_REMEDY = (
    "Put the four MNIST files (train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz and the same for t10k) "
    "there, or pass --data openml, or leave --data out and RMDA_DATA_DIR unset to use "
    "scikit-learn's bundled digits."
)
_STEMS = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
_UBYTE = 0x08  # the IDX type code of unsigned bytes: magic number = (0, 0, type, number of dimensions)
_MNIST_TRAIN = 60_000  # OpenML stacks the 60000 training images on the 10000 test images
_DIGITS_TRAIN = 1_437

# (white, mean, sd): the pixel value of full ink, then the mean and sd of pixel / white over the training set.
_MNIST_SCALE = (255, 0.1307, 0.3081)
_DIGITS_SCALE = (16, 0.3054, 0.3755)


class DataError(ValueError):
    """Data that cannot be had: the message names the place, what was found there and the remedy."""


@dataclass(frozen=True)
class DataSource:
    """Where image data come from; hashable and picklable, and reads nothing until :func:`load`.

    Parameters
    ----------
    name : {"digits", "mnist"}
        The data set.
    directory : Path or None
        The directory that holds MNIST, itself or in its subfolder ``mnist``. ``None`` with ``"mnist"``
        means OpenML, over the network; ``"digits"`` takes no directory.

    Raises
    ------
    DataError
        If the name is neither of the two, or ``"digits"`` comes with a directory.

    Examples
    --------
    >>> DataSource()
    DataSource(name='digits', directory=None)
    >>> DataSource.resolve("openml")
    DataSource(name='mnist', directory=None)
    """

    name: Literal["digits", "mnist"] = "digits"
    directory: Path | None = None

    def __post_init__(self) -> None:
        if self.name not in ("digits", "mnist"):
            raise DataError(f"name is {self.name!r}: it must be 'digits' or 'mnist'")
        if self.name == "digits" and self.directory is not None:
            raise DataError(f"directory is {self.directory}: digits come with scikit-learn; use name='mnist'")

    @classmethod
    def resolve(cls, data: str | Path | None = None) -> Self:
        """Read a ``--data`` argument.

        Parameters
        ----------
        data : str, Path or None
            ``"digits"``, ``"openml"``, or a directory that holds MNIST (made absolute, so that the source
            means the same in another process). ``None``: the directory that the environment variable
            ``RMDA_DATA_DIR`` names if it is set and not empty, else digits.
        """
        place = str(data) if data is not None else os.environ.get("RMDA_DATA_DIR") or "digits"
        match place:
            case "digits":
                return cls("digits")
            case "openml":
                return cls("mnist")
            case "":
                raise DataError(f"data is '': expected 'digits', 'openml' or a directory. {_REMEDY}")
            case _:
                return cls("mnist", Path(place).expanduser().resolve())


@dataclass(frozen=True, eq=False)
class ImageData:
    """Labelled images, split into training and test sets; one image a row.

    Parameters
    ----------
    X_train, X_test : ndarray of shape (n, d), float32
        Pixels (row by row), shifted and scaled by one fixed pair of constants a data set: over the training
        pixels the mean is 0 and the standard deviation 1, to three digits.
    y_train, y_test : ndarray of shape (n,), int64
        Labels, 0 to 9.
    image_shape : tuple of int
        Height and width, ``d = height * width``.
    name : str
        The data set.
    """

    X_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    X_test: NDArray[np.float32]
    y_test: NDArray[np.int64]
    image_shape: tuple[int, int]
    name: str


def load(source: DataSource) -> ImageData:
    """Load the images of a source; the same source gives the same arrays, in the same order.

    Digits are split as they lie: the first 1437 images train, the last 360 test. MNIST keeps its own split.

    Raises
    ------
    DataError
        If a directory or a file is missing, truncated, of another format or at odds with its partner, or
        OpenML does not answer.

    Examples
    --------
    >>> digits = load(DataSource("digits"))
    >>> digits.X_train.shape, digits.X_test.shape, digits.image_shape
    ((1437, 64), (360, 64), (8, 8))
    """
    if source.name == "digits":
        bunch = datasets.load_digits()
        return _split(bunch.data, bunch.target, _DIGITS_TRAIN, _DIGITS_SCALE, "digits")
    if source.directory is None:
        return _openml()
    return _mnist(source.directory)


def _standardised(pixels: NDArray[np.uint8], scale: tuple[int, float, float]) -> NDArray[np.float32]:
    # A table of the 256 levels rounds each of them once, and needs no float64 copy of the images.
    white, mean, sd = scale
    levels = ((np.arange(256) / white - mean) / sd).astype(np.float32)
    return levels[pixels.reshape(len(pixels), -1)]


def _split(
    pixels: NDArray[Any], labels: NDArray[Any], n_train: int, scale: tuple[int, float, float], name: str
) -> ImageData:
    X, y = _standardised(pixels.astype(np.uint8), scale), labels.astype(np.int64)
    side = math.isqrt(X.shape[1])
    return ImageData(X[:n_train], y[:n_train], X[n_train:], y[n_train:], (side, side), name)


def _openml() -> ImageData:
    try:
        # liac-arff, for the default parser needs pandas.
        bunch = datasets.fetch_openml("mnist_784", version=1, as_frame=False, parser="liac-arff")
    except Exception as error:  # sockets, HTTP, gzip, ARFF, checksums: scikit-learn documents no list
        raise DataError(
            f"data 'openml': fetch_openml('mnist_784') failed with {type(error).__name__}: {error}. It needs "
            "the network once; else pass --data DIRECTORY with the MNIST files in it, or --data digits."
        ) from error
    return _split(bunch.data, bunch.target, _MNIST_TRAIN, _MNIST_SCALE, "mnist")


def _mnist(directory: Path) -> ImageData:
    paths = _files(directory)
    images_train, labels_train, images_test, labels_test = (
        _read_idx(path, ndim) for path, ndim in zip(paths, (3, 1, 3, 1), strict=True)
    )
    for images, labels, at in ((images_train, labels_train, 0), (images_test, labels_test, 2)):
        if len(images) != len(labels):
            raise DataError(
                f"{paths[at]} holds {len(images)} images but {paths[at + 1]} holds {len(labels)} labels: "
                f"they are not from one data set. {_REMEDY}"
            )
    height, width = images_train.shape[1:]
    if images_test.shape[1:] != (height, width):
        raise DataError(
            f"{paths[0]} holds images of {height}x{width} pixels but {paths[2]} of "
            f"{'x'.join(map(str, images_test.shape[1:]))}: they are not from one data set. {_REMEDY}"
        )
    return ImageData(
        _standardised(images_train, _MNIST_SCALE),
        labels_train.astype(np.int64),
        _standardised(images_test, _MNIST_SCALE),
        labels_test.astype(np.int64),
        (height, width),
        "mnist",
    )


def _files(directory: Path) -> list[Path]:
    if not directory.is_dir():
        what = "is not a directory" if directory.exists() else "does not exist"
        raise DataError(f"data directory {directory} {what}. {_REMEDY}")
    gaps: list[list[str]] = []
    for folder in (directory, directory / "mnist"):
        found = [_find(folder, stem) for stem in _STEMS]
        paths = [path for path in found if path is not None]
        if len(paths) == len(_STEMS):  # all from one folder: never half of one data set and half of another
            return paths
        gaps.append([f"{stem}-ubyte[.gz]" for stem, path in zip(_STEMS, found, strict=True) if path is None])
    missing = min(gaps, key=len)
    raise DataError(f"data directory {directory} or its mnist/ lacks {', '.join(missing)}. {_REMEDY}")


def _find(folder: Path, stem: str) -> Path | None:
    spellings = (f"{stem}-ubyte", f"{stem.replace('-idx', '.idx')}-ubyte")
    candidates = (folder / (name + suffix) for name in spellings for suffix in ("", ".gz"))
    return next((path for path in candidates if path.is_file()), None)


def _read_idx(path: Path, ndim: int) -> NDArray[np.uint8]:
    try:
        content = path.read_bytes()
        if content.startswith(b"\x1f\x8b"):  # by content: browsers unpack a .gz and leave it its name
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}): fetch it again. {_REMEDY}") from error
    magic, header = bytes((0, 0, _UBYTE, ndim)), 4 + 4 * ndim
    if content[:4] != magic:
        raise DataError(
            f"{path} starts with bytes {content[:4].hex() or 'none'}, not {magic.hex()}: it is no IDX file "
            f"of {'images' if ndim == 3 else 'labels'}. {_REMEDY}"
        )
    if len(content) < header:
        raise DataError(f"{path} ends inside its header, after {len(content)} of {header} bytes. {_REMEDY}")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", ndim, offset=4))
    if len(content) - header != math.prod(shape) or 0 in shape:
        raise DataError(
            f"{path} holds {len(content) - header} bytes after its header, which announces "
            f"{math.prod(shape)} (shape {shape}): truncated, damaged or empty; fetch it again. {_REMEDY}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
