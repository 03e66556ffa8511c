"""Files of events: one content in four formats, and what is refused."""

import netCDF4
import numpy as np
import pytest

from pipeline.composition import event_files
from pipeline.composition.event_files import read_event_file
from pipeline.model import event_sources
from pipeline.model.errors import RequestError
from tests.support.contents import random_events

TIMES, SYNAPSES = random_events(2, n_synapses=5, duration=300, dt=0.1)


def write_netcdf(path, times=TIMES, synapses=SYNAPSES, units="ms"):
    """Write events to a netCDF file."""
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("event", len(times))
        file.createVariable("times", "f8", ("event",))[:] = times
        file.createVariable("synapses", "i2", ("event",))[:] = synapses
        file["times"].units = units


def write_csv(path, header="times [ms],synapses", times=TIMES, synapses=SYNAPSES):
    """Write events to a CSV file, times to all their digits."""
    rows = zip(np.asarray(times).tolist(), np.asarray(synapses).tolist(), strict=True)
    path.write_text("\n".join([header, *(f"{t!r},{s}" for t, s in rows)]) + "\n")


@pytest.mark.parametrize("block", [100, 16_384])
def test_the_same_events_are_the_same_content_in_every_format(tmp_path, monkeypatch, block):
    """Hash and cells, read whole or in several blocks; columns of other names do not matter."""
    for module in (event_sources, event_files):
        monkeypatch.setattr(module, "BLOCK", block)
    np.savez(tmp_path / "a.npz", times=TIMES, synapses=SYNAPSES, units="ms")
    np.savez_compressed(tmp_path / "b.npz", times=TIMES, synapses=SYNAPSES.astype("u2"), more=1)
    write_netcdf(tmp_path / "c.nc")
    write_csv(tmp_path / "d.csv")
    rows = (f"x,{s},{t!r}" for t, s in zip(TIMES.tolist(), SYNAPSES.tolist(), strict=True))
    (tmp_path / "e.csv").write_text("\n".join(["note,synapses,times (ms)", *rows]))
    contents = [read_event_file(file) for file in sorted(tmp_path.iterdir())]
    assert len({content.digest for content in contents}) == 1
    for content in contents:
        cells = np.concatenate(list(content.cells(0.1, 5, 3000)))
        np.testing.assert_array_equal(
            cells, np.sort(np.rint(TIMES / 0.1).astype(int) * 5 + SYNAPSES)
        )
    assert [content.source.is_temporary() for content in contents] == [
        False,
        True,
        True,
        True,
        True,
    ]


def _npz(**arrays):
    return lambda path: np.savez(path, **arrays)


def _cut(path):
    np.savez(path, times=TIMES, synapses=SYNAPSES)
    path.write_bytes(path.read_bytes()[:-300])


def _flipped(path):
    np.savez(path, times=TIMES, synapses=SYNAPSES)
    content = bytearray(path.read_bytes())
    content[2000] ^= 1  # the lowest bit of a time: times still rise
    path.write_bytes(content)


REFUSED = [
    ("a.npz", _npz(t=TIMES, i=SYNAPSES), r"must have arrays times \[ms\] and synapses; there is t"),
    ("a.npz", _npz(times=TIMES, synapses=SYNAPSES[1:]), r"must be of one length, \(n_events,\)"),
    ("a.npz", _npz(times=[0.0, 1.0], synapses=[[0, 1]]), r"must be of one length, \(n_events,\)"),
    ("a.npz", _npz(times=TIMES, synapses=SYNAPSES, units="s"), r"times in s: must be in ms"),
    ("a.npz", _npz(times=[0, None], synapses=[0, 0]), r"must have arrays of numbers"),
    ("a.npz", _npz(times=[1, 0], synapses=[0, 0]), r"an event at 0 ms comes after one at 1 ms"),
    ("a.npz", _cut, r"cannot be read \(File is not a zip file\)"),
    (
        "a.npz",
        lambda path: path.write_text("0,1"),
        r"read \(it has other content than arrays of nu",
    ),
    ("a.npz", _flipped, r"cannot be read \(Bad CRC-32 for file 'times\.npy'\)"),
    ("a.nc", lambda path: write_netcdf(path, units="s"), r"times in s: must be in ms"),
    ("a.nc", lambda path: path.write_text("no"), r"cannot be read"),
    ("a.csv", lambda path: path.write_text("0,1\n"), r"line 1: must name the columns, times,syna"),
    ("a.csv", lambda path: write_csv(path, "times [s],synapses"), r"times in s: must be in ms"),
    (
        "a.csv",
        lambda path: path.write_text("times,synapses\n0,1\n2,x\n"),
        r"line 3: must be a time",
    ),
    ("a.csv", lambda path: path.write_text("times,synapses\n0,1\n2\n"), r"line 3: must be a time"),
    ("a.csv", lambda path: path.write_bytes(b"\xff\xfe"), r"must be text in UTF-8"),
    ("a.csv", lambda path: path.mkdir(), r"cannot be read \(Is a directory\)"),
    ("a.txt", lambda path: path.write_text("0,1"), r"must be a file \.npz or \.nc or \.csv"),
]


@pytest.mark.parametrize(("name", "write", "said"), REFUSED)
def test_what_is_no_file_of_events_is_refused(tmp_path, name, write, said):
    """In one line."""
    write(tmp_path / name)
    with pytest.raises(RequestError, match=said) as refusal:
        read_event_file(tmp_path / name)
    assert "\n" not in str(refusal.value)


def test_a_file_without_events_has_none(tmp_path):
    """In every format."""
    np.savez(tmp_path / "a.npz", times=np.empty(0), synapses=np.empty(0, int))
    write_csv(tmp_path / "a.csv", times=[], synapses=[])
    write_netcdf(tmp_path / "a.nc", [], [])
    found = [read_event_file(file) for file in tmp_path.iterdir()]
    assert [content.n_events for content in found] == [0, 0, 0]
    assert len({content.digest for content in found}) == 1
    assert sum(cells.size for cells in found[0].cells(1.0, 3, 10)) == 0
