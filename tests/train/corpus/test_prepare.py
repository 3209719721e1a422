"""`prepare`: zips and folders to a cache and a report, and what is refused."""

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from piano.errors import CorpusError
from piano.midi.file import MidiTrack, write_performance
from piano.notes import NOTE, Performance
from train.__main__ import main
from train.corpus.cache_writer import CacheWriter
from train.corpus.corpus_report import REPORT_NAME
from train.corpus.note_cache import CACHE_NAME, Columns, NoteCache
from train.corpus.prepare import prepare, prepare_one
from train.corpus.prepared import DONE_NAME, Prepared
from train.corpus.sources import CorpusSource, folder_sources, split_of, zip_sources
from workers.result_list import ResultList

Row = tuple[float, float, int, int, int]


def write_midi(path: Path, *tracks: Iterable[Row]) -> bytes:
    """Write a MIDI file of tracks (onset, duration, pitch, velocity, -) and return its bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_performance(
        path, [MidiTrack(f"t{index}", Performance(np.array(list(rows), NOTE))) for index, rows in enumerate(tracks)]
    )
    return path.read_bytes()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two zips and their split table: one file with doubles and silence, one damaged, one missing, one off the keys."""
    second = [(9.0, 0.5, 60, 70, 0), (20.0, 1.0, 5, 64, 0)]
    late = write_midi(tmp_path / "m" / "late.mid", [(9.0, 1.0, 60, 64, 0)], second)
    plain = write_midi(tmp_path / "m" / "plain.mid", [(0.0, 1.0, 60, 64, 0), (0.0, 36.0, 64, 70, 0)])
    low = write_midi(tmp_path / "m" / "low.mid", [(0.0, 1.0, 3, 64, 0)])
    with zipfile.ZipFile(tmp_path / "one-midi.zip", "w") as archive:
        archive.writestr("a/late.mid", late)
        archive.writestr("a/broken.mid", plain[:40])
    with zipfile.ZipFile(tmp_path / "pop909.zip", "w") as archive:
        archive.writestr("plain.mid", plain)
        archive.writestr("low.mid", low)
    (tmp_path / "splits.csv").write_text(
        "dataset,file,split,composer,title\n"
        'one,a/late.mid,train,"Bach, J. S.",Late\n'
        "one,a/broken.mid,train,,\n"
        "one,a/missing.mid,test,,\n"
        "pop909,plain.mid,validation,,\n"
        "pop909,low.mid,validation,,\n",
        encoding="utf-8",
    )
    return tmp_path


def test_zips_become_a_cache_and_a_report(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = corpus / "out"
    arguments = ["prepare", "--zips", str(corpus), "--splits", str(corpus / "splits.csv"), "--out", str(out)]
    assert main([*arguments, "--processes", "1"]) == 0
    cache = NoteCache.load(out)
    assert [(piece.dataset, piece.file, piece.split, piece.composer, piece.licence) for piece in cache.pieces] == [
        ("one", "a/late.mid", "train", "Bach, J. S.", "unknown"),
        ("pop909", "plain.mid", "validation", "", "MIT"),
    ]
    assert cache.pieces[0].tracks == ("t0", "t1")
    assert cache.performance(0).notes.tolist() == [(0.0, 1.0, 60, 70, 0)]
    report = json.loads((out / REPORT_NAME).read_text(encoding="utf-8"))
    assert [refused["file"] for refused in report["refused"]] == ["a/broken.mid", "a/missing.mid", "low.mid"]
    totals = {(total["dataset"], total["split"]): total for total in report["totals"]}
    assert totals["one", "train"] == {
        "dataset": "one",
        "split": "train",
        "files": 1,
        "refused": 1,
        "notes": 1,
        "pedals": 0,
        "hours": 1 / 3600,
        "off_keyboard": 1,
        "doubles": 1,
        "silence_cut_h": 9.0 / 3600,
    }
    assert totals["all", "all"]["files"] == 2
    assert totals["all", "all"]["hours"] == pytest.approx(37 / 3600)
    printed = capsys.readouterr().out
    assert "a/broken.mid: track 1 is cut off" in printed
    assert "refused one: a/broken.mid: there is no note" in printed
    assert "refused pop909: low.mid: there is no note on the 88 keys" in printed


def test_number_of_processes_does_not_change_the_cache(corpus: Path) -> None:
    sources = zip_sources(corpus, corpus / "splits.csv")
    for processes in (1, 2):
        prepare(sources, corpus / str(processes), processes=processes)
    one, two = (NoteCache.load(corpus / str(processes)) for processes in (1, 2))
    assert one.pieces == two.pieces
    assert all(one.performance(i).notes.tolist() == two.performance(i).notes.tolist() for i in range(len(one)))


@pytest.mark.parametrize("cluster", [None, "local:2"])
def test_what_broke_off_goes_on(cluster: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is begun on a cluster and goes on in one process."""
    for number in range(40):
        write_midi(tmp_path / "midi" / f"{number:02}.mid", [(0.0, 1.0 + number, 60, 64, 0), (2.0, 1.0, 64, 70, 0)])
    (tmp_path / "midi" / "07.mid").write_bytes(b"no music")
    sources = folder_sources(tmp_path / "midi")
    whole, out = tmp_path / "whole", tmp_path / "out"
    prepare(sources, whole)
    added = 0

    def broken_off(writer: CacheWriter, columns: Columns) -> None:
        nonlocal added
        added += 1
        if added > 20:
            raise KeyboardInterrupt
        add(writer, columns)

    add = CacheWriter.add
    monkeypatch.setattr(CacheWriter, "add", broken_off)
    with pytest.raises(KeyboardInterrupt):
        prepare(sources, out, cluster=cluster)
    monkeypatch.setattr(CacheWriter, "add", add)
    assert not (out / CACHE_NAME).exists()
    done = ResultList(out / DONE_NAME)
    before = len(done)
    done.close()
    assert before >= 21
    write_midi(tmp_path / "midi" / "03.mid", [(0.0, 4.0, 60, 64, 0)])  # written anew meanwhile
    prepare(sources, whole)
    again: list[str] = []

    def counted(source: CorpusSource, *wishes: float, finds_chords: bool) -> Prepared:
        again.append(source.piece.file)
        return prepare_one(source, *wishes, finds_chords=finds_chords)

    monkeypatch.setattr("train.corpus.prepare.prepare_one", counted)
    prepare(sources, out)
    assert len(again) == 40 - before + 1
    assert "03.mid" in again
    assert "07.mid" not in again
    for name in (CACHE_NAME, REPORT_NAME):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert not (out / DONE_NAME).exists()
    prepare(sources, out)
    assert len(again) == 40 - before + 1 + 40  # a cache that is whole is made anew


def test_folder_is_split_by_a_stable_hash(tmp_path: Path) -> None:
    for name in ("x/b.MID", "a.midi", "notes.txt"):
        write_midi(tmp_path / "mine" / name, [(0.0, 1.0, 60, 64, 0)])
    arguments = ["prepare", "--folder", str(tmp_path / "mine"), "--out", str(tmp_path / "out"), "--licence", "CC0"]
    assert main([*arguments, "--processes", "1"]) == 0
    pieces = NoteCache.load(tmp_path / "out" / CACHE_NAME).pieces
    assert [(piece.dataset, piece.file, piece.licence) for piece in pieces] == [
        ("mine", "a.midi", "CC0"),
        ("mine", "x/b.MID", "CC0"),
    ]
    assert [piece.split for piece in pieces] == ["train", "validation"]


def test_hash_gives_about_90_5_5() -> None:
    splits = [split_of(f"{index}.mid") for index in range(4000)]
    assert 0.88 < splits.count("train") / 4000 < 0.92
    assert 0.04 < splits.count("validation") / 4000 < 0.06
    assert split_of("a.midi") == split_of("a.midi")


@pytest.mark.parametrize(("files", "kept"), [(1, 0), (2, 1), (11, 1), (16, 2), (20, 2), (60, 8)])
def test_a_small_folder_keeps_an_eighth_for_validation(tmp_path: Path, files: int, kept: int) -> None:
    for number in range(files):
        (tmp_path / f"{number}.mid").touch()
    splits = [source.piece.split for source in folder_sources(tmp_path)]
    assert (splits.count("train"), splits.count("validation")) == (files - kept, kept)


def test_folder_with_a_table_takes_what_it_lists(tmp_path: Path) -> None:
    write_midi(tmp_path / "mine" / "a.mid", [(0.0, 1.0, 60, 64, 0)])
    (tmp_path / "t.csv").write_text("file,split,composer\na.mid,test,Satie\n", encoding="utf-8")
    (source,) = folder_sources(tmp_path / "mine", tmp_path / "t.csv")
    assert (source.piece.split, source.piece.composer, source.piece.title) == ("test", "Satie", "")


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("dataset,file\none,a", "column split is missing"),
        ("dataset,file,split\none,a,dev", "line 2: split 'dev' is none of"),
        ("dataset,file,split\ntwo,a,train", "data set two needs one zip"),
        ("dataset,file,split\n", "no MIDI file to read"),
        ("dataset,file,split\none,a/broken.mid,train", "none of 1 files could be used"),
    ],
)
def test_impossible_table_is_one_line_and_status_2(
    corpus: Path, capsys: pytest.CaptureFixture[str], table: str, fault: str
) -> None:
    (corpus / "splits.csv").write_text(table, encoding="utf-8")
    arguments = ["prepare", "--zips", str(corpus), "--splits", str(corpus / "splits.csv"), "--out", str(corpus / "out")]
    assert main([*arguments, "--processes", "1"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert fault in error
    assert not (corpus / "out" / CACHE_NAME).exists()


def test_missing_folder_table_and_bad_zip_are_named(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CorpusError, match="no such folder"):
        folder_sources(corpus / "nowhere")
    with pytest.raises(CorpusError, match="cannot be read: No such file"):
        zip_sources(corpus, corpus / "nowhere.csv")
    (corpus / "one-midi.zip").write_bytes(b"no zip")
    with pytest.raises(CorpusError, match="is not a zip archive"):
        zip_sources(corpus, corpus / "splits.csv")
    assert main(["prepare", "--zips", str(corpus), "--out", str(corpus / "out")]) == 2
    assert "needs --splits" in capsys.readouterr().err


def folder_of_notes(folder: Path, *names: str) -> Path:
    """Return a folder of MIDI files of one note each."""
    folder.mkdir()
    for name in names:
        write_performance(folder / name, [MidiTrack("", Performance(np.array([(0.0, 1.0, 60, 70, 0)], NOTE)))])
    return folder


def test_what_is_kept_aside_is_chosen_among_what_can_be_read(tmp_path: Path) -> None:
    names = [f"track{number}.mid" for number in range(6)]
    folder = folder_of_notes(tmp_path / "midi", *names)
    for unreadable in sorted(names):  # one after the other, so that once it is the one that was kept aside
        kept = (folder / unreadable).read_bytes()
        (folder / unreadable).write_bytes(b"broken")
        (folder / f"._{unreadable}").write_bytes(b"\0\5\x16\7companion")
        prepare(folder_sources(folder), tmp_path / "out")
        cache = NoteCache.load(tmp_path / "out")
        assert len(cache) == 5
        assert len(cache.select(split="validation")) == 1
        (folder / unreadable).write_bytes(kept)


@pytest.mark.parametrize(
    "table",
    [
        b"\xef\xbb\xbffile,split\na.mid,train\nb.mid,validation\n",
        b"file;split\r\na.mid;train\r\nb.mid;validation\r\n",
        b"File, Split\na.mid, Train\nb.mid, VALIDATION\n",
        b"file\tsplit\na.mid\ttrain\nb.mid\tvalidation\n",
        "file\tsplit\r\na.mid\ttrain\r\nb.mid\tvalidation\r\n".encode("utf-16"),
        "file,split\r\na.mid,train\r\nb.mid,validation\r\n".encode("utf-16-be"),
        "file,split\r\na.mid,train\r\nb.mid,validation\r\n".encode("utf-16-le"),
        "file;split;Künstler\r\na.mid;train;Dvořák\r\nb.mid;validation;é\r\n".replace("ř", "r").encode("cp1252"),
    ],
)
def test_a_table_is_read_as_spreadsheets_write_it(table: bytes, tmp_path: Path) -> None:
    (tmp_path / "splits.csv").write_bytes(table)
    sources = folder_sources(folder_of_notes(tmp_path / "midi"), tmp_path / "splits.csv")
    assert [(source.piece.file, source.piece.split) for source in sources] == [
        ("a.mid", "train"),
        ("b.mid", "validation"),
    ]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("file,split\na.mid\n", "line 2: there is nothing in the column split"),
        ("file,split\na.mid,train\na.mid,test\n", "line 3: a.mid is listed for train and for test"),
        ("file;split\na.mid;learn\n", "line 2: split 'learn' is none of train, validation, test"),
        ("name;split\na.mid;train\n", "the column file is missing"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(table: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "splits.csv").write_text(table)
    with pytest.raises(CorpusError, match=says):
        folder_sources(folder_of_notes(tmp_path / "midi"), tmp_path / "splits.csv")


def test_what_is_no_table_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "splits.csv").write_bytes(b"PK\3\4\x81\x8d")
    with pytest.raises(CorpusError, match=r"splits\.csv: cannot be read as a table .*save it as CSV"):
        folder_sources(folder_of_notes(tmp_path / "midi"), tmp_path / "splits.csv")


def test_of_a_take_the_players_part_alone_is_learned(tmp_path: Path) -> None:
    folder = folder_of_notes(tmp_path / "midi")
    ours, theirs = (Performance(np.array([(0.0, 1.0, pitch, 70, 0)], NOTE)) for pitch in (60, 72))
    tracks = [MidiTrack("player", ours), MidiTrack("pianod", theirs), MidiTrack("passed on", theirs)]
    write_performance(folder / "take.mid", tracks)
    write_performance(folder / "song.mid", [MidiTrack("player", ours), MidiTrack("strings", theirs)])
    write_performance(folder / "answer.mid", [MidiTrack("player", Performance(theirs.notes[:0])), tracks[1]])
    report = prepare(folder_sources(folder), tmp_path / "out")
    cache = NoteCache.load(tmp_path / "out")
    found = {piece.file: cache.performance(number).notes["pitch"].tolist() for number, piece in enumerate(cache.pieces)}
    assert found == {"take.mid": [60], "song.mid": [60, 72]}
    assert [outcome.piece.file for outcome in report.refused()] == ["answer.mid"]
