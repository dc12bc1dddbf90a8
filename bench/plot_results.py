#!/usr/bin/env python3
"""Plots of what `ffconv bench` measured, beside its tables.

    bench/plot_results.py docs/results        # reads results.json there; needs matplotlib

packings.png: rotations, products and latency of every network and packing; layers.png: the predicted time of every
layer under auto; accuracy.png: accuracy against latency.
"""

import argparse
import json
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

BAR = 0.8


def latency_ms(row):
    """Best of one thread, or what was predicted where the row was only planned; and whether it was measured."""
    for run in row.get("runs", []):
        if run["threads"] == 1:
            return run["min_ms"], True
    return row["plan"]["predicted_ms"], False


def products(row):
    totals = row["plan"]["totals"]
    return totals["plain_products"] + totals["scalar_products"]


def rotations(row):
    totals = row["plan"]["totals"]
    return totals["rotations"] + totals["hoisted_rotations"]


def unique(values):
    return list(dict.fromkeys(values))


def plot_packings(rows, path):
    networks, packings = unique(r["network"] for r in rows), unique(r["asked"] for r in rows)
    figure, axes = pyplot.subplots(3, 1, figsize=(9, 9), sharex=True)
    panels = (("rotations, hoisted ones included", rotations), ("products with weights (HMA)", products),
              ("ms, one thread (hatched: predicted)", lambda row: latency_ms(row)[0]))
    for axis, (label, value) in zip(axes, panels):
        for p, packing in enumerate(packings):
            for row in (r for r in rows if r["asked"] == packing):
                place = networks.index(row["network"]) + BAR * ((p + 0.5) / len(packings) - 0.5)
                hatch = None if axis is not axes[-1] or latency_ms(row)[1] else "///"
                axis.bar(place, max(value(row), 0.5), BAR / len(packings), color=f"C{p}", hatch=hatch,
                         label=packing)
        axis.set_yscale("log")
        axis.set_ylabel(label, fontsize="small")
    axes[-1].set_xticks(range(len(networks)), networks, fontsize="small")
    axes[-1].set_xlim(-0.6, len(networks) - 0.4)
    handles = dict(zip(*reversed(axes[0].get_legend_handles_labels())))
    axes[0].legend(handles.values(), handles.keys(), ncol=len(packings), fontsize="small", loc="lower left",
                   bbox_to_anchor=(0, 1))
    save(figure, path)


def plot_layers(rows, path):
    rows = [row for row in rows if row["asked"] == "auto"]
    figure, axis = pyplot.subplots(figsize=(9, 0.6 + 0.5 * len(rows)))
    for k, row in enumerate(rows):
        left = 0.0
        for number, layer in enumerate(row["plan"]["layers"]):
            part = layer["predicted_ms"] / row["plan"]["predicted_ms"]
            axis.barh(k, part, left=left, color=f"C{number % 10}")
            if part > 0.06:
                axis.text(left + part / 2, k, layer["name"], ha="center", va="center", fontsize=6)
            left += part
    axis.set_yticks(range(len(rows)), [row["network"] for row in rows], fontsize="small")
    axis.set_xlabel("part of the predicted time under auto")
    save(figure, path)


def plot_accuracy(rows, path):
    figure, axis = pyplot.subplots(figsize=(7, 4.5))
    packings = unique(r["asked"] for r in rows)
    for row in rows:
        ms, measured = latency_ms(row)
        colour = f"C{packings.index(row['asked'])}"
        axis.plot(ms, 100 * row["float_accuracy"], "o", color=colour, fillstyle="full" if measured else "none")
        if row["asked"] == "auto":
            axis.annotate(row["network"], (ms, 100 * row["float_accuracy"]), fontsize=7,
                          textcoords="offset points", xytext=(4, 4))
    for p, packing in enumerate(packings):
        axis.plot([], [], "o", color=f"C{p}", label=packing)
    axis.set_xscale("log")
    axis.set_xlabel("ms, one thread (hollow: predicted)")
    axis.set_ylabel("accuracy on the test set, %")
    axis.legend(fontsize="small")
    save(figure, path)


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of results.json; the plots go there")
    args = parser.parse_args()
    document = json.loads((args.folder / "results.json").read_text())
    rows = [row for row in document["rows"] if "plan" in row]
    plot_packings(rows, args.folder / "packings.png")
    plot_layers(rows, args.folder / "layers.png")
    plot_accuracy(rows, args.folder / "accuracy.png")


if __name__ == "__main__":
    main()
