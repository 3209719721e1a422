"""Figures as Markdown: what the terminal shows, and what docs/performance.md is made of."""

from collections.abc import Sequence
from typing import Any

from bench.contestants import FLOOR, MEMORY_FLOOR, OURS
from train.tables import markdown_table


def describe(figures: dict[str, Any]) -> list[str]:
    """Return a measurement's tables, with what stands beside them, line by line."""
    lines = {
        "decode": _decode,
        "profile": _profile,
        "keys": _keys,
        "lateness": _lateness,
        "long": _long,
        "offline": _offline,
        "train": _train,
        "prepare": _prepare,
        "scale": _scale,
        "trading": _trading,
    }[figures["kind"]](figures)
    lines += ["", _circumstances(figures)]
    for name, reason in (figures.get("missing") or {}).items():
        if figures["kind"] != "decode" or name.endswith("(feed)"):  # the others have a row of their own
            lines += [f"Without {name}: {_first_line(reason)}"]
    return lines


def _first_line(reason: str) -> str:
    return reason.splitlines()[0].replace("|", "/") if reason else "no reason given"


def _circumstances(figures: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    return f"`{figures['command']}`, {figures['date']}, {figures['machine']}; {versions}."


def _decode(figures: dict[str, Any]) -> list[str]:
    """Return milliseconds by past length, prompt and portion, and how many times ours each takes."""
    shape, threads = figures["shape"], figures["threads"]
    about = (
        f"{shape['layers']} layers of width {shape['width']}, context {shape['context']}, on "
        f"{threads} thread{'s' if threads > 1 else ''}; in brackets how many times pianod's time."
    )
    lines = figures["decode"]
    floors = [
        [FLOOR, *[_times(line["floor_ms"], line["ms"]) for line in lines]],
        [MEMORY_FLOOR, *[_times(line["memory_floor_ms"], line["ms"]) for line in lines]],
        ["pianod over the floor", *[f"{line['over_floor']:.2f} x" for line in lines]],
        ["pianod over the floor from memory", *[f"{line['over_memory_floor']:.2f} x" for line in lines]],
        ["read at the floor, GB/s", *[f"{line['floor_gb_per_s']:.0f}" for line in lines]],
        ["read from memory, GB/s", *[f"{figures['memory_gb_per_s']:.0f}" for _ in lines]],
    ]
    absent = [
        [name, f"cannot run: {_first_line(reason)}", *["-"] * (len(lines) - 1)]
        for name, reason in figures["missing"].items()
        if not name.endswith("(feed)")
    ]
    out = [about, "", _compared("milliseconds a token, at a past of", "past", lines, [*absent, *floors])]
    out += ["", _compared("milliseconds for a prompt of", "tokens", figures["prefill"])]
    feed = f"milliseconds for so many tokens at once, at a past of {figures['feed'][0]['past']}"
    out += ["", _compared(feed, "tokens", figures["feed"])]
    shares = ", ".join(f"{figures['sampling_us'] / 10 / line['ms']:.0f} % at {line['past']}" for line in lines)
    out += ["", f"Drawing a token takes another {figures['sampling_us']:.0f} µs: {shares} of the model's time."]
    first = ", ".join(f"{3 * (line['ms'] + figures['sampling_us'] / 1000):.2f} at {line['past']}" for line in lines)
    out += ["", f"The first note at a hand-over is three tokens (a time, a key, a velocity) and no prompt: {first} ms."]
    start, memory = figures["start_up_s"], figures["memory_mb"]
    rows = [[name, f"{start[name]:.2f}", f"{memory[name]:.0f}"] for name in start]
    return [*out, "", markdown_table(["", "start to first token, s", "most memory, MB"], rows)]


def _compared(head: str, key: str, lines: Sequence[dict[str, Any]], more: Sequence[list[str]] = ()) -> str:
    names = [name for name in dict.fromkeys(name for line in lines for name in line["all_ms"]) if name != OURS]
    rows = [[f"**{OURS}**", *[f"**{line['ms']:.3f}**" for line in lines]]]
    rows += [[name, *[_times(line["all_ms"].get(name), line["ms"]) for line in lines]] for name in names]
    return markdown_table([head, *[str(line[key]) for line in lines]], [*rows, *more])


def _times(ms: float | None, ours: float) -> str:
    return f"{ms:.3f} ({ms / ours:.1f} x)" if ms and ours else "-"


def _profile(figures: dict[str, Any]) -> list[str]:
    lines = figures["profile"]
    shares = [{entry["operator"]: entry for entry in line["operators"]} for line in lines]
    rows = [
        [name, str(shares[0][name]["nodes"]), *[f"{100 * line[name]['share']:.0f} %" for line in shares]]
        for name in shares[-1]
    ]
    return [markdown_table(["operator, at a past of", "nodes", *[str(line["past"]) for line in lines]], rows)]


def _keys(figures: dict[str, Any]) -> list[str]:
    rows = [["key in to note out", *_spread(figures["key_to_note"]), "100 %"]]
    rows += [
        [stage, *_spread(spread), f"{100 * figures['shares'][stage]:.0f} %"]
        for stage, spread in figures["stages"].items()
    ]
    ports = "in a process of their own" if figures["guarded"] else "in the daemon's own process"
    said = (
        f"{figures['keys']} keys, one at a time, over JACK (64 frames at 48 kHz); the ports {ports}; "
        f"{figures['lost']} lost, {figures['unanswered']} sent before the model's answer."
    )
    return [said, "", markdown_table(["ms", *_SPREAD, "share"], rows)]


_SPREAD = ("p50", "p99", "p99.9", "most")


def _spread(spread: dict[str, Any]) -> list[str]:
    return [f"{spread[name]:.2f}" for name in ("p50_ms", "p99_ms", "p999_ms", "max_ms")]


def _lateness(figures: dict[str, Any]) -> list[str]:
    rows = [
        [f"{name}: {figures[key]['count']}", *_spread(figures[key])]
        for name, key in (
            ("all events", "all"),
            ("at an exchange of the context", "at_exchanges"),
            ("elsewhere", "elsewhere"),
        )
    ]
    said = (
        f"{figures['seconds']:.0f} s over {figures['wire']}, while the model took {figures['tokens_per_s']:.0f} tokens "
        f"a second without rest and exchanged its context {figures['exchanges']} times; real-time priority was "
        f"{'granted' if figures['priority'] else 'not granted'}."
    )
    return [said, "", markdown_table(["ms late", *_SPREAD], rows)]


def _long(figures: dict[str, Any]) -> list[str]:
    minutes = figures["minutes"]
    chosen = [minutes[place] for place in sorted({0, len(minutes) // 4, len(minutes) // 2, len(minutes) - 1})]
    numbers = sorted({0, len(minutes) // 4, len(minutes) // 2, len(minutes) - 1})
    rows = [
        [
            f"{number + 1}",
            str(line["tokens"]),
            f"{line['ms_per_token']:.3f}",
            f"{line['median_ms']:.3f}",
            f"{line['memory_mb']:.1f}",
        ]
        for number, line in zip(numbers, chosen, strict=True)
    ]
    said = (
        f"{len(minutes)} minutes of music, {figures['messages']} messages. The last quarter against the second: "
        f"{figures['late_over_early']:.2f} times the time a token, {figures['grown_mb']:+.1f} MB. "
        "Times are of tokens at a window from half to three quarters full; the lowest tenth is compared, since other "
        "work on the machine only adds."
    )
    return [said, "", markdown_table(["minute of music", "tokens", "ms a token", "in the median", "memory, MB"], rows)]


def _offline(figures: dict[str, Any]) -> list[str]:
    one, folder, naive = figures["one_file"], figures["folder"], figures["naive"]
    rows = [
        ["one piece", f"{one['notes_per_s']:.0f}", f"{one['real_time_factor']:.1f} x"],
        [f"{folder['files']} pieces", f"{folder['notes_per_s']:.0f}", f"{folder['real_time_factor']:.1f} x"],
        [f"the naive loop, at a past of {naive['past']}", "-", f"{naive['real_time_factor']:.2f} x"],
    ]
    batch = [[str(line["rows"]), f"{line['tokens_per_s']:.0f}"] for line in figures["batch"]]
    first = markdown_table(["new music", "notes a second", "real-time factor"], rows)
    tables = [first, "", markdown_table(["streams in a batch", "tokens a second, all together"], batch)]
    if "places" in figures:
        places = figures["places"]
        one_s = places[0]["s"]
        shared = [[row["place"], f"{row['s']:.1f}", f"{one_s / row['s']:.2f} x"] for row in places]
        tables += ["", markdown_table([f"{places[0]['pieces']} pieces", "seconds", "over --jobs 1"], shared)]
        began = [
            [row["command"], f"{row['s']:.2f}", f"{row['processor_s']:.2f}", f"{row['budget_s']:.2f}"]
            for row in figures["starts"]
        ]
        tables += ["", markdown_table(["start of", "seconds", "of the processor", "budget"], began)]
    return tables


def _train(figures: dict[str, Any]) -> list[str]:
    rows = [
        ["pianod", f"{figures['tokens_per_s']:.0f}", f"{figures['over_nano']:.2f} x"],
        ["a loop as nanoGPT's", f"{figures['nano_tokens_per_s']:.0f}", "1.00 x"],
    ]
    said = (
        f"The shape of {figures['recipe']}, windows of the whole context, AdamW, bfloat16, "
        f"{'compiled' if figures['compiled'] else 'not compiled'}. "
        f"Waiting for the loader takes {100 * figures['loader_share']:.1f} % of a step."
    )
    return [said, "", markdown_table(["", "tokens a second", "against nanoGPT's"], rows)]


def _scale(figures: dict[str, Any]) -> list[str]:
    rows = [
        [row["work"], f"{row['files']:,}", f"{row['ms_per_file']:.2f}", f"{row['most_mb']:.0f}"]
        for row in figures["rows"]
    ]
    graphs = [
        [
            f"{row['files']:,}",
            f"{row['tasks']:,}",
            f"{row['most_tasks_held']}",
            f"{row['processor_ms_per_task']:.1f}",
            f"{1000 * row['seconds'] / row['files']:.2f}",
            f"{row['caller_most_mb']:.0f}",
            f"{row['worker_most_mb']:.0f}",
        ]
        for row in figures["graphs"]
    ]
    shared = [
        [f"{row['place']}, {row['files']:,} files", f"{row['begin_s']:.1f}", f"{row['ms_per_file']:.2f}"]
        for row in figures["overhead"]
    ]
    return [
        markdown_table(["work", "files", "ms a file", "most MB"], rows),
        "",
        markdown_table(["shared out, of the processor", "s to begin", "ms a file"], shared),
        "",
        markdown_table(
            ["empty files", "tasks", "at the scheduler", "processor ms a task", "ms a file", "caller MB", "worker MB"],
            graphs,
        ),
    ]


def _prepare(figures: dict[str, Any]) -> list[str]:
    rows = [[name, f"{rate:.1f}"] for name, rate in figures["files_per_s"].items()]
    over = figures["over_miditok"]
    said = f"{figures['files']} files of {figures['music']} music, {figures['processes']} process" + (
        "."
        if over is None
        else f"; pianod is {over:.1f} times as fast as MidiTok's pipeline, and "
        f"{figures['alike_over_miditok']:.1f} times where it finds no chords, as that finds none."
    )
    return [said, "", markdown_table(["", "files a second of the processor"], rows)]


def _trading(figures: dict[str, Any]) -> list[str]:
    """Return how far entries lie from their downbeats, and how long after the last bar line keys were up."""
    head = (
        "traded at",
        "bars",
        "turns",
        "silent",
        "stray keys",
        "entry, median",
        "worst",
        "keys up after the line, worst",
    )
    rows = [
        (
            plan["tempo"],
            *(str(plan[name]) for name in ("bars", "turns", "silent", "stray")),
            *(f"{plan[name]:.1f} ms" for name in ("entry_median_ms", "entry_worst_ms", "keys_up_worst_ms")),
        )
        for plan in figures["plans"]
    ]
    return [markdown_table(head, rows)]
