"""Image data: both IDX spellings, packed or not; every way in which files or the network can fail."""

import gzip
import pickle
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest

from problems.data import DataError, DataSource, load

STEMS = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
DIGITS = DataSource("digits")


def idx(array):
    return bytes((0, 0, 0x08, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    shapes = ((5, 3, 4), (5,), (2, 3, 4), (2,))
    return {
        stem: rng.integers(0, 256 if len(shape) == 3 else 10, shape, np.uint8)
        for stem, shape in zip(STEMS, shapes, strict=True)
    }


@pytest.fixture
def folder(tmp_path, arrays):
    for stem, array in arrays.items():
        (tmp_path / f"{stem}-ubyte.gz").write_bytes(gzip.compress(idx(array)))
    return tmp_path


# --- where data come from


def test_default_is_digits(monkeypatch):
    monkeypatch.delenv("RMDA_DATA_DIR", raising=False)
    assert DataSource.resolve() == DataSource.resolve("digits") == DataSource() == DIGITS
    monkeypatch.setenv("RMDA_DATA_DIR", "")
    assert DataSource.resolve() == DIGITS


def test_environment_names_the_directory_and_the_argument_overrides_it(monkeypatch, tmp_path):
    monkeypatch.setenv("RMDA_DATA_DIR", str(tmp_path))
    assert DataSource.resolve() == DataSource("mnist", tmp_path.resolve())
    assert DataSource.resolve("digits") == DIGITS
    assert DataSource.resolve("openml") == DataSource("mnist", None)


def test_directory_is_made_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert DataSource.resolve("here").directory == tmp_path.resolve() / "here"


def test_source_hashes_and_pickles():
    source = DataSource("mnist", Path("/data"))
    assert pickle.loads(pickle.dumps(source)) == source
    assert len({source, DataSource("mnist", Path("/data")), DIGITS}) == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DataSource("cifar"), "'cifar'.*'digits' or 'mnist'"),
        (lambda: DataSource("digits", Path("/data")), "/data.*name='mnist'"),
        (lambda: DataSource.resolve(""), "data is ''.*bundled digits"),
    ],
)
def test_impossible_sources_are_refused(make, message):
    with pytest.raises(DataError, match=message):
        make()


# --- what load returns


@pytest.mark.parametrize("source", sorted({DIGITS, DataSource.resolve()}, key=str), ids=lambda s: s.name)
def test_every_source_at_hand_is_standardised_and_reproducible(source):
    data = load(source)
    height, width = data.image_shape
    for X, y in ((data.X_train, data.y_train), (data.X_test, data.y_test)):
        assert X.shape == (len(y), height * width)
        assert (X.dtype, y.dtype) == (np.float32, np.int64)
        assert set(y) == set(range(10))
    assert data.name == source.name
    # The scale constants are rounded to 4 digits: half a unit of the last place over sd >= 0.3 is < 2e-4.
    assert abs(data.X_train.mean(dtype=np.float64)) < 2e-4
    assert abs(data.X_train.std(dtype=np.float64) - 1) < 2e-4
    if source == DIGITS:
        np.testing.assert_array_equal(load(source).X_test, data.X_test)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("spelling", ["-idx", ".idx"])
@pytest.mark.parametrize("subfolder", ["", "mnist"])
def test_mnist_is_read_from_idx_files(tmp_path, arrays, packed, spelling, subfolder):
    (tmp_path / subfolder).mkdir(exist_ok=True)
    for stem, array in arrays.items():
        name = stem.replace("-idx", spelling) + "-ubyte" + (".gz" if packed else "")
        (tmp_path / subfolder / name).write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    data = load(DataSource("mnist", tmp_path))
    assert (data.image_shape, data.name) == ((3, 4), "mnist")
    for X, stem in ((data.X_train, STEMS[0]), (data.X_test, STEMS[2])):
        expected = (arrays[stem].reshape(len(X), 12) / 255 - 0.1307) / 0.3081
        np.testing.assert_array_equal(X, expected.astype(np.float32), strict=True)
    np.testing.assert_array_equal(data.y_train, arrays[STEMS[1]])
    np.testing.assert_array_equal(data.y_test, arrays[STEMS[3]])


def test_file_unpacked_under_its_packed_name_is_read(folder, arrays):
    (folder / f"{STEMS[0]}-ubyte.gz").write_bytes(idx(arrays[STEMS[0]]))
    assert load(DataSource("mnist", folder)).X_train.shape == (5, 12)


def test_two_incomplete_folders_are_not_mixed(folder):
    (folder / "mnist").mkdir()
    (folder / f"{STEMS[2]}-ubyte.gz").rename(folder / "mnist" / f"{STEMS[2]}-ubyte.gz")
    with pytest.raises(DataError, match=r"lacks t10k-images-idx3-ubyte\[\.gz\]\."):
        load(DataSource("mnist", folder))


# --- what goes wrong


def test_missing_directory(tmp_path):
    with pytest.raises(DataError, match=r"nowhere does not exist\. Put the four.*--data openml.*digits"):
        load(DataSource("mnist", tmp_path / "nowhere"))


def test_directory_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="file is not a directory"):
        load(DataSource("mnist", tmp_path / "file"))


@pytest.mark.parametrize("stem", STEMS)
def test_missing_file(folder, stem):
    (folder / f"{stem}-ubyte.gz").unlink()
    with pytest.raises(DataError, match=rf"{folder}.*lacks {stem}-ubyte\[\.gz\]\..*Put the four"):
        load(DataSource("mnist", folder))


IMAGES = idx(np.zeros((5, 3, 4), np.uint8))
PACKED = gzip.compress(IMAGES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(IMAGES[:-3], r"holds 57 bytes.*announces 60 \(shape \(5, 3, 4\)\)", id="truncated"),
        pytest.param(gzip.compress(IMAGES[:-3]), "holds 57 bytes.*announces 60", id="truncated, then packed"),
        pytest.param(IMAGES + b"0", "holds 61 bytes.*announces 60", id="too long"),
        pytest.param(idx(np.zeros((0, 3, 4), np.uint8)), "announces 0.*empty", id="no image"),
        pytest.param(IMAGES[:7], "ends inside its header, after 7 of 16", id="truncated header"),
        pytest.param(b"", "starts with bytes none", id="empty file"),
        pytest.param(b"<html>", "starts with bytes 3c68746d, not 00000803.*of images", id="a web page"),
        pytest.param(idx(np.zeros(5, np.uint8)), "00000801, not 00000803", id="labels for images"),
        pytest.param(PACKED[:-12], "cannot be read.*end-of-stream", id="EOFError"),
        pytest.param(PACKED[:10] + b"\xff" * 20, "cannot be read.*invalid block type", id="zlib.error"),
        pytest.param(PACKED[:-8] + bytes(8), "cannot be read.*CRC", id="BadGzipFile"),
    ],
)
def test_damaged_images(folder, content, message):
    path = folder / f"{STEMS[0]}-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"^{path}.*{message}.*Put the four"):
        load(DataSource("mnist", folder))


def test_images_in_place_of_labels(folder):
    (folder / f"{STEMS[1]}-ubyte.gz").write_bytes(IMAGES)
    with pytest.raises(DataError, match=r"00000803, not 00000801.*of labels"):
        load(DataSource("mnist", folder))


def test_image_and_label_counts_differ(folder):
    (folder / f"{STEMS[3]}-ubyte.gz").write_bytes(idx(np.zeros(7, np.uint8)))
    with pytest.raises(DataError, match=rf"{STEMS[2]}.* holds 2 images but .*{STEMS[3]}.* holds 7 labels"):
        load(DataSource("mnist", folder))


def test_training_and_test_images_differ_in_shape(folder):
    (folder / f"{STEMS[2]}-ubyte.gz").write_bytes(idx(np.zeros((2, 4, 3), np.uint8)))
    with pytest.raises(DataError, match=r"3x4 pixels but .* of 4x3"):
        load(DataSource("mnist", folder))


# --- OpenML, never called


def test_openml_is_split_after_60000(monkeypatch):
    rng = np.random.default_rng(0)
    bunch = SimpleNamespace(
        data=rng.integers(0, 256, (60_003, 4)).astype(float),
        target=rng.integers(0, 10, 60_003).astype(str).astype(object),
    )
    called = []
    monkeypatch.setattr("sklearn.datasets.fetch_openml", lambda *a, **k: called.append((a, k)) or bunch)
    data = load(DataSource.resolve("openml"))
    ((arguments, options),) = called
    assert arguments == ("mnist_784",)
    assert options == {"version": 1, "as_frame": False, "parser": "liac-arff"}
    assert (data.X_train.shape, data.X_test.shape, data.image_shape) == ((60_000, 4), (3, 4), (2, 2))
    expected = (bunch.data[60_000:] / 255 - 0.1307) / 0.3081
    np.testing.assert_array_equal(data.X_test, expected.astype(np.float32), strict=True)
    np.testing.assert_array_equal(data.y_test, bunch.target[60_000:].astype(np.int64), strict=True)


@pytest.mark.parametrize("cause", [URLError("no route to host"), ValueError("md5 checksum"), EOFError("cache")])
def test_openml_failure_is_a_data_error(monkeypatch, cause):
    def fail(*args, **kwargs):
        raise cause

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fail)
    with pytest.raises(DataError, match=f"'openml'.*{type(cause).__name__}.*network.*--data digits") as caught:
        load(DataSource.resolve("openml"))
    assert caught.value.__cause__ is cause
