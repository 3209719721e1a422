"""Bundles that are damaged, foreign or hostile: each is refused by name before anything of it runs."""

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from inference import bundle as bundle_module
from inference.bundle import Bundle
from inference.graph_check import OnnxDamageError, has_external_data
from inference.manifest import FUSED, PORTABLE, Manifest, ManifestError, is_plain_name
from piano.errors import BundleError
from piano.tokens.vocabulary import VOCABULARY


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A copy of a good bundle, to be damaged."""
    return Path(shutil.copytree(tiny_bundle, tmp_path / "mine"))


def edit(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = bundle / "manifest.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def replace_graph(bundle: Path, data: bytes) -> None:
    """Put another graph in, with a manifest that vouches for it."""
    (bundle / "model.onnx").write_bytes(data)
    entry = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    edit(bundle, lambda manifest: manifest["graphs"][0].update(entry))


def test_a_good_bundle_says_what_it_is(tiny_bundle: Path) -> None:
    bundle = Bundle.load(str(tiny_bundle))
    manifest = bundle.manifest
    assert (manifest.name, manifest.trained_on, manifest.licence) == ("tiny", "made up", "CC0-1.0")
    assert manifest.vocabulary == VOCABULARY.fingerprint
    assert manifest.figures["step"] == 3
    assert "bits_per_note_change_percent" in manifest.figures
    graph = bundle.graph(FUSED)
    assert graph is not None
    assert (graph.name, graph.precision) == ("model.onnx", "int8")
    assert bundle.graph(PORTABLE) is None
    assert bundle.files["model.onnx"] == (tiny_bundle / "model.onnx").read_bytes()
    assert Manifest.from_json(json.dumps(manifest.to_json())) == manifest


def test_what_is_missing_is_named(bundle: Path) -> None:
    with pytest.raises(BundleError, match=r"nowhere: there is no such bundle .* Check the path"):
        Bundle.load(bundle / "nowhere")
    (bundle / "model.onnx").unlink()
    with pytest.raises(BundleError, match=r"model\.onnx: it is missing\. Get the bundle again, or export"):
        Bundle.load(bundle)
    (bundle / "manifest.json").unlink()
    with pytest.raises(BundleError, match=r"manifest\.json: it is missing"):
        Bundle.load(bundle)


def test_a_damaged_graph_is_named(bundle: Path) -> None:
    good = (bundle / "model.onnx").read_bytes()
    for data, fault in (
        (good[:-1], f"it is truncated: {len(good) - 1} bytes instead of {len(good)}"),
        (good + b"x", "it is longer than it should be"),
        (good[:500] + bytes([good[500] ^ 1]) + good[501:], "it is damaged: its checksum is not the one"),
    ):
        (bundle / "model.onnx").write_bytes(data)
        with pytest.raises(BundleError, match=rf"model\.onnx: {fault}"):
            Bundle.load(bundle)


@pytest.mark.parametrize("fingerprint", ["0123456789abcdef", ""])
def test_a_foreign_vocabulary_is_refused_with_the_way_out(bundle: Path, fingerprint: str) -> None:
    edit(bundle, lambda data: data.update(vocabulary=fingerprint))
    with pytest.raises(BundleError, match=r"another vocabulary .* Use a bundle made for this version"):
        Bundle.load(bundle)


def test_a_vocabulary_that_is_too_small_is_refused(bundle: Path) -> None:
    edit(bundle, lambda data: data["shape"].update(vocabulary=100))
    with pytest.raises(BundleError, match="100 tokens"):
        Bundle.load(bundle)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(format=2), "its format is version 2, and this program reads 1"),
        (lambda data: data.pop("format"), "its format is version None"),
        (lambda data: data.update(licence=7), "licence: .* valid string, not 7"),
        (lambda data: data.update(graphs=[]), "graphs: .* at least 1 item"),
        (lambda data: data.update(graphs=[3]), "graphs: 0: .*object, not 3"),
        (lambda data: data["graphs"][0].update(kind="other"), "graphs: 0: kind: .*fused.prompt.portable"),
        (lambda data: data["graphs"][0].update(bytes=True), "bytes: .* valid integer, not True"),
        (lambda data: data.update(shape=[]), "shape: .*object"),
        (lambda data: data["shape"].update(heads=0), "heads: .* greater than or equal to 1, not 0"),
        (lambda data: data["shape"].update(context=10**9), "context: .* less than or equal to 131072, not 1000000000"),
        (lambda data: data["shape"].update(heads=7), "a width of 48 does not divide into 7 heads"),
        (lambda data: data["shape"].update(context=131072, width=16384), "its cache would take 32768 MiB"),
        (lambda data: data.update(tensors={}), "tensors: the names are not those of format 1"),
        (lambda data: data.update(figures={"a": "b"}), "figures: a: .* valid number"),
        (lambda data: data.update(figures={"a": float("nan")}), "figures: a: .* finite number"),
    ],
)
def test_a_wrong_manifest_is_refused_by_its_key(
    bundle: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    edit(bundle, change)
    with pytest.raises(BundleError, match=rf"manifest\.json: .*{message}"):
        Bundle.load(bundle)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 200_000, b'{"format": ' + b"9" * 5_000 + b"}", b"3"])
def test_a_manifest_that_is_no_manifest_is_refused(bundle: Path, text: bytes) -> None:
    (bundle / "manifest.json").write_bytes(text)
    with pytest.raises(BundleError, match=r"manifest\.json: .*(JSON|nested|an object)"):
        Bundle.load(bundle)


@pytest.mark.parametrize(
    "name",
    ["../model.onnx", "/etc/passwd", "a/b.onnx", "a\\b.onnx", "..", "C:model.onnx", ".onnx", "a.b.onnx", "\0.onnx"],
)
def test_names_stay_in_the_folder(bundle: Path, name: str) -> None:
    assert not is_plain_name(name)
    edit(bundle, lambda data: data["graphs"][0].update(name=name))
    with pytest.raises(BundleError, match="is not the plain name"):
        Bundle.load(bundle)


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_links_and_other_files_are_refused(bundle: Path, name: str) -> None:
    path = bundle / name
    kept = path.rename(bundle.parent / name)
    path.symlink_to(kept)
    with pytest.raises(BundleError, match=f"{name}: it is a link or no regular file"):
        Bundle.load(bundle)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(BundleError, match=f"{name}: it is a link or no regular file"):
        Bundle.load(bundle)


def test_sizes_are_checked_before_anything_is_read(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_module, "LARGEST_GRAPH_BYTES", 1_000)
    with pytest.raises(BundleError, match=r"model\.onnx: it has \d+ bytes, more than the 1000 allowed"):
        Bundle.load(bundle)
    with (bundle / "manifest.json").open("ab") as file:
        file.truncate(bundle_module.LARGEST_MANIFEST_BYTES + 1)
    with pytest.raises(BundleError, match=r"manifest\.json: it has 1048577 bytes"):
        Bundle.load(bundle)


def outside(tensor: onnx.TensorProto) -> onnx.TensorProto:
    """Make a tensor refer to a file outside the bundle."""
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    return tensor


def hostile_models() -> list[onnx.ModelProto]:
    """Return models with a reference to another file in each place that can hold a tensor."""
    tensor = outside(TensorProto(name="w", dims=[1], data_type=TensorProto.FLOAT))
    constant = helper.make_node("Constant", [], ["c"], value=tensor)
    inner = helper.make_graph([constant], "inner", [], [])
    branch = helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)
    sparse = helper.make_node("Constant", [], ["c"])
    sparse.attribute.add(name="sparse_value", type=onnx.AttributeProto.SPARSE_TENSOR).sparse_tensor.values.CopyFrom(
        tensor
    )
    function = helper.make_function("own", "f", [], ["c"], [constant], [helper.make_opsetid("", 21)])
    graphs = [helper.make_graph([], "g", [], [], [tensor])]
    graphs += [helper.make_graph([node], "g", [], []) for node in (constant, branch, sparse)]
    models = [helper.make_model(graph) for graph in graphs]
    models.append(helper.make_model(helper.make_graph([], "g", [], []), functions=[function]))
    scattered = helper.make_model(helper.make_graph([], "g", [], []))
    scattered.graph.sparse_initializer.add().indices.CopyFrom(tensor)
    return [*models, scattered]


@pytest.mark.parametrize("place", range(6))
def test_weights_in_other_files_are_refused(bundle: Path, place: int) -> None:
    replace_graph(bundle, hostile_models()[place].SerializeToString())
    with pytest.raises(BundleError, match=r"model\.onnx: .*(refers to weights in other files|no model of ours needs)"):
        Bundle.load(bundle)


def strange_models() -> dict[str, onnx.ModelProto]:
    """Return models that allocate, loop, call or hide, by what is said of them."""
    size = helper.make_tensor("n", TensorProto.INT64, [1], [1_500_000_000])
    inner = helper.make_graph([], "inner", [], [])
    nodes = {
        "'ConstantOfShape'": helper.make_node("ConstantOfShape", ["n"], ["y"]),
        "'Loop'": helper.make_node("Loop", ["n", ""], ["y"], body=inner),
        "'If'": helper.make_node("If", ["n"], ["y"], then_branch=inner, else_branch=inner),
        "'Range'": helper.make_node("Range", ["n", "n", "n"], ["y"]),
        "'own.Add'": helper.make_node("Add", ["n", "n"], ["y"], domain="own"),
        "'com.microsoft.EPContext'": helper.make_node("EPContext", ["n"], ["y"], domain="com.microsoft"),
        "'com.microsoft.Add'": helper.make_node("Add", ["n", "n"], ["y"], domain="com.microsoft"),
        "a graph within a graph": helper.make_node("Add", ["n", "n"], ["y"], hidden=inner),
    }
    models = {says: helper.make_model(helper.make_graph([node], "g", [], [], [size])) for says, node in nodes.items()}
    call = helper.make_node("Add", ["x"], ["y"])
    function = helper.make_function("", "Add", ["x"], ["y"], [call], [helper.make_opsetid("", 21)])
    models["a function beside"] = helper.make_model(helper.make_graph([], "g", [], []), functions=[function])
    models["a training beside"] = helper.make_model(helper.make_graph([], "g", [], []))
    models["a training beside"].training_info.add().algorithm.node.append(call)
    return models


@pytest.mark.parametrize("says", strange_models())
def test_what_the_exporter_does_not_write_is_refused_by_name(bundle: Path, says: str) -> None:
    replace_graph(bundle, strange_models()[says].SerializeToString())
    with pytest.raises(BundleError, match=rf"model\.onnx: .*{re.escape(says)}.* no model of ours needs"):
        Bundle.load(bundle)


@pytest.mark.parametrize("data", [b"", b"no model at all", b"ORTM" + bytes(60), b"\x80\x04\x95pickle", b"\x3a" * 40])
def test_bytes_that_are_no_model_are_refused(bundle: Path, data: bytes) -> None:
    replace_graph(bundle, data)
    with pytest.raises(BundleError, match=r"model\.onnx: it is not an ONNX model"):
        Bundle.load(bundle)


@given(st.data())
def test_any_bytes_are_scanned_to_an_end(tiny_bundle: Path, data: st.DataObject) -> None:
    good = (tiny_bundle / "model.onnx").read_bytes()[:2_000]
    start = data.draw(st.integers(0, len(good)))
    noise = data.draw(st.binary(max_size=40))
    with contextlib.suppress(OnnxDamageError):
        has_external_data(good[:start] + noise)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.data(), json_values)
@settings(max_examples=50)
def test_any_value_anywhere_in_a_manifest_is_taken_or_refused(
    tiny_bundle: Path, data: st.DataObject, value: object
) -> None:
    manifest = json.loads((tiny_bundle / "manifest.json").read_text())
    places: list[tuple[Any, str]] = [(manifest, key) for key in manifest]
    places += [(manifest["shape"], key) for key in manifest["shape"]]
    places += [(manifest["graphs"][0], key) for key in manifest["graphs"][0]]
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = value
    with contextlib.suppress(ManifestError):
        Manifest.from_json(json.dumps(manifest))


@pytest.mark.parametrize("key", [b"\x6a", b"\xea\x80\x80\x80\x10", b"\xea\x80\x80\x80\x80\x01"])
def test_a_field_number_that_a_parser_would_read_otherwise_is_refused(key: bytes) -> None:
    fields = key + b"\x00"  # field 13, empty: in one byte, and with bits beyond the 32 that a parser keeps
    tensor = b"\x2a" + bytes((len(fields),)) + fields
    model = b"\x3a" + bytes((len(tensor),)) + tensor
    if len(key) == 1:
        assert has_external_data(model)
        return
    with pytest.raises(OnnxDamageError, match="whose number is too large"):
        has_external_data(model)


def test_an_operator_that_names_a_file_is_refused(bundle: Path) -> None:
    node = helper.make_node(
        "EPContext", [], ["y"], domain="com.microsoft", ep_cache_context="/tmp/engine", embed_mode=0
    )
    replace_graph(bundle, helper.make_model(helper.make_graph([node], "g", [], [])).SerializeToString())
    with pytest.raises(BundleError, match=r"'com\.microsoft\.EPContext', which no model of ours needs"):
        Bundle.load(bundle)


def test_weights_of_a_training_graph_are_looked_at_too() -> None:
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    tensor.data_location = TensorProto.EXTERNAL
    model = helper.make_model(helper.make_graph([], "g", [], []))
    model.training_info.add().algorithm.initializer.append(tensor)
    with pytest.raises(OnnxDamageError, match="a training beside its graph"):
        has_external_data(model.SerializeToString())


def test_a_graph_of_countless_fields_is_refused_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.graph_check._MOST_FIELDS", 1000)
    with pytest.raises(OnnxDamageError, match="more than 1,000 fields"):
        has_external_data(b"\x3a\x00" + b"\x08\x00" * 2000)
