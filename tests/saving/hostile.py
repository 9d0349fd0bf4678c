"""Descriptions that cost far more than their size, or hold nonsense; loaded one by one in a process with limits.

``python hostile.py FAMILY`` prints a line of JSON for each case: its name, what came of it, the length of the message,
seconds of CPU time, and MiB by which the process grew. ``tests/saving/test_hostile.py`` runs it.
"""

from __future__ import annotations

import functools
import io
import json
import resource
import sys
import time
import warnings
import zipfile
from typing import Any

ADDRESS_SPACE = 3 << 30
CPU_SECONDS = 100  # for a whole family


def layer(kind: str, **config: Any) -> dict:
    return {"class_name": kind, "config": {"name": "it", **config}}


def sequential(*layers: Any, shape: Any = (None, 4)) -> dict:
    first = layer("InputLayer", name="in", batch_input_shape=list(shape))
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [first, *layers]}}


def called(kind: str, name: str, config: dict, calls: list) -> dict:
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": calls}


INPUT = called("InputLayer", "i", {"batch_input_shape": [None, 4]}, [])
ON_INPUT = [[["i", 0, 0, {}]]]


def functional(layers: list, outputs: Any, inputs: Any = (("i", 0, 0),)) -> dict:
    config = {"name": "m", "layers": layers, "input_layers": inputs, "output_layers": outputs}
    return {"class_name": "Model", "config": config}


def nested_twice(depth: int) -> dict:
    """Models that call the one inside of them twice, so that there are 2^depth calls."""
    inner = nested_twice(depth - 1)["config"] if depth else {"activation": "relu"}
    calls = [*ON_INPUT, [["a", 1 if depth else 0, 0, {}]]]
    layers = [INPUT, called("Model" if depth else "Activation", "a", {**inner, "name": "a"}, calls)]
    return functional(layers, [["a", 2 if depth else 1, 0]])


def chain(count: int) -> list[dict]:
    sources = ["i", *(f"a{k}" for k in range(count))]
    return [called("Activation", f"a{k}", {"activation": "relu"}, [[[sources[k], 0, 0, {}]]]) for k in range(count)]


def ping_pong(count: int) -> dict:
    """Two layers that are called on each other's outputs in turn, the one that starts listed last."""
    a = [ON_INPUT[0], *([["b", k, 0, {}]] for k in range(count - 1))]
    b = [[["a", k, 0, {}]] for k in range(count)]
    layers = [INPUT, called("Activation", "b", {"activation": "relu"}, b),
              called("Activation", "a", {"activation": "relu"}, a)]  # fmt: skip
    return functional(layers, [["b", count - 1, 0]])


def wrapped(kind: str, depth: int, inner: dict, shape: list) -> dict:
    for k in range(depth):
        inner = {"class_name": kind, "config": {"name": f"w{k}", "layer": inner}}
    return sequential(inner, shape=shape)


def structures() -> dict[str, Any]:
    activations = [layer("Activation", name=f"a{k}", activation="relu") for k in range(4000)]
    return {
        "4000 layers in a stack": sequential(*activations),
        "4000 layers in a chain": functional([INPUT, *chain(4000)], [["a3999", 0, 0]]),
        "4000 layers in a chain, the last one first": functional([INPUT, *chain(4000)[::-1]], [["a3999", 0, 0]]),
        "two layers that call each other 1500 times": ping_pong(1500),
        "one layer, 3000 times": functional(
            [INPUT, called("Activation", "a", {"activation": "relu"},
                           [ON_INPUT[0], *([["a", k, 0, {}]] for k in range(2999))])], [["a", 2999, 0]]),
        "a sum of 20,000": functional([INPUT, called("Add", "a", {}, [[["i", 0, 0, {}]] * 20_000])], [["a", 0, 0]]),
        "models called twice each, 8 levels": nested_twice(8),
        "models called twice each, 28 levels": nested_twice(28),
        "36 wrappers": wrapped("TimeDistributed", 36, layer("Dense", units=2), [None] + [2] * 37),
        "12 directions": wrapped("Bidirectional", 12, layer("LSTM", units=2, return_sequences=True), [None, 3, 4]),
        "inputs that are not there": functional([INPUT, *chain(4000)[1:]], [["a3999", 0, 0]]),
        "an output 20,000 times": functional([INPUT, *chain(1)], [["a0", 0, 0]] * 20_000),
        "an input 20,000 times": functional([INPUT, *chain(1)], [["a0", 0, 0]], [["i", 0, 0]] * 20_000),
        "a long name with 1000 layers inside": sequential(
            {"class_name": "Sequential", "config": {"name": "n" * 10**6, "layers": [
                layer("Dense", name=f"d{k}", units=4, batch_input_shape=[None, 4]) for k in range(1000)]}}),
        "names of 100,000": sequential(*[layer("Dense", units=2, name="n" * 100_000)] * 2),
    }  # fmt: skip


def sizes() -> dict[str, Any]:
    big = {"kernel_initializer": "identity", "units": 40_000}
    cases = {
        f"{name}, {init}": sequential(config, shape=shape)
        for init in ("identity", "orthogonal", "zeros", "random_normal", "lecun_uniform")
        for name, config, shape in (
            ("dense", layer("Dense", units=40_000, kernel_initializer=init), (None, 40_000)),
            ("recurrent", layer("LSTM", units=20_000, recurrent_initializer=init), (None, 3, 4)),
            (
                "embedding",
                layer("Embedding", input_dim=40_000, output_dim=40_000, embeddings_initializer=init),
                (None, 4),
            ),
        )
    }
    constant = {"class_name": "Constant", "config": {"value": {"type": "ndarray", "value": [1.0]}}}
    cases["constant"] = sequential(layer("Dense", **{**big, "kernel_initializer": constant}), shape=(None, 40_000))
    for size in (2**31, 2**40, 2**62, 10**30):
        for kind, config, shape in (
            ("Dense", {"units": size}, (None, 4)), ("RepeatVector", {"n": size}, (None, 4)),
            ("Reshape", {"target_shape": [size]}, (None, 4)), ("Permute", {"dims": [size]}, (None, 4)),
            ("Embedding", {"input_dim": size, "output_dim": size}, (None, 4)), ("LSTM", {"units": size}, (None, 3, 4)),
            ("Conv1D", {"filters": 1, "kernel_size": size, "padding": "causal"}, (None, 3, 4)),
            ("LocallyConnected1D", {"filters": size, "kernel_size": 1}, (None, 3, 4)),
            ("ZeroPadding1D", {"padding": size}, (None, 3, 4)), ("Cropping1D", {"cropping": size}, (None, 3, 4)),
            ("UpSampling2D", {"size": size}, (None, 3, 4, 2)), ("MaxPooling2D", {"pool_size": size}, (None, 3, 4, 2)),
            ("SimpleRNN", {"units": 2, "unroll": True}, (None, size, 4)), ("Masking", {}, (None, size, size)),
            ("CategoryEncoding", {"num_tokens": size}, (None, 4)),
        ):  # fmt: skip
            cases[f"{kind} {config} {shape}"[:100]] = sequential(layer(kind, **config), shape=shape)
    for kind, config in (("Masking", {}), ("Flatten", {}), ("Dense", {"units": 2}), ("BatchNormalization", {}),
                         ("Permute", {"dims": list(range(1, 100_001))}), ("Softmax", {})):  # fmt: skip
        cases[f"{kind} of 100,000 axes"] = sequential(layer(kind, **config), shape=[None] + [1] * 100_000)
    return cases


#: What a file may say anywhere.
NONSENSE: dict[str, Any] = {
    "number": 5, "negative": -1, "large": 10**30, "largest": 1e308, "nan": float("nan"), "list": [1, 2], "dict": {"a": 1},
    "none": None, "true": True, "deep": json.loads("[" * 60 + "]" * 60), "long": "x" * 100_000, "surrogate": "\ud800",
    "many": [0] * 20_000, "keys": {f"k{i}": i for i in range(5_000)}, "class": {"class_name": "x" * 100_000, "config": {}},
    "no class": {"class_name": ["Dense"], "config": 5}, "arguments": {"class_name": "Zeros", "config": {"y" * 100_000: 1}},
}  # fmt: skip


def nonsense() -> dict[str, Any]:
    cases: dict[str, Any] = {}
    for name, value in NONSENSE.items():
        for key in ("units", "activation", "kernel_initializer", "kernel_regularizer", "kernel_constraint", "name",
                    "dtype", "batch_input_shape", "unknown"):  # fmt: skip
            cases[f"{key} is {name}"] = sequential(layer("Dense", **{"units": 3, key: value}))
        for kind, config, shape in (
            ("Lambda", {"function": value, "function_type": value, "output_shape": value}, (None, 4)),
            ("TimeDistributed", {"layer": value}, (None, 3, 4)), ("RNN", {"cell": value}, (None, 3, 4)),
            ("RNN", {"cell": layer("StackedRNNCells", cells=value)}, (None, 3, 4)),
            ("Reshape", {"target_shape": value}, (None, 4)), ("Permute", {"dims": value}, (None, 4)),
            ("BatchNormalization", {"axis": value, "epsilon": value}, (None, 4)), ("ReLU", {"max_value": value}, (None, 4)),
            ("MaxPooling2D", {"pool_size": value, "data_format": value}, (None, 8, 8, 3)),
            ("Conv2D", {"filters": 2, "kernel_size": value, "padding": value}, (None, 8, 8, 3)),
        ):  # fmt: skip
            cases[f"{kind}: {', '.join(config)} is {name}"] = sequential(layer(kind, **config), shape=shape)
        cases[f"class is {name}"] = {"class_name": value, "config": value}
        cases[f"layers is {name}"] = {"class_name": "Sequential", "config": {"layers": value}}
        cases[f"a layer is {name}"] = {"class_name": "Sequential", "config": {"layers": [value]}}
        cases[f"inputs is {name}"] = functional([INPUT], [["i", 0, 0]], value)
        cases[f"outputs is {name}"] = functional([INPUT], value)
        for what, calls in (("calls", value), ("a call", [value]), ("a reference", [[value]]),
                            ("a source", [[[value, 0, 0, {}]]]), ("a call's number", [[["i", value, value, {}]]]),
                            ("arguments", [[["i", 0, 0, value]]])):  # fmt: skip
            cases[f"{what} is {name}"] = functional([INPUT, called("Dense", "d", {"units": 3}, calls)], [["d", 0, 0]])
    return cases


def texts() -> dict[str, Any]:
    tuples = "a0: &a0 !!python/tuple [1, 2]\n"
    tuples += "".join(f"a{i}: &a{i} !!python/tuple [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    merged = "m0: &m0 {a: 1}\n"
    merged += "".join(f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 9)}]}}\n" for i in range(1, 12))
    model = "class_name: Sequential\nconfig: "
    cases = {
        "tuples as a key": f"{tuples}? *a11\n: 1\n", "tuples in a set": f"{tuples}s: !!set {{? *a11 }}\n",
        "tuples in pairs": f"{tuples}s: !!pairs [ {{? *a11 : 1}} ]\n", "tuples": f"{tuples}{model}[]",
        "merged": merged + model, "a part of itself": "&a [*a]", "its own key": "&a {*a : 1}",
        "levels": "[" * 50_000, "blocks": "- " * 20_000 + "a", "keys": "? " * 20_000 + "a", "braces": "{" * 20_000,
        "1e999999": f"{model}1e999999", "digits": model + "9" * 10**6, "binary digits": f"{model}0b{'1' * 10**6}",
        "sixties": model + "1" + ":59" * 10**5, "sixties and a half": model + "1" + ":59" * 10**5 + ".5",
        "a date": "class_name: 9999-99-99", "anchors": "".join(f"- &a{i} 1\n" for i in range(5000)),
        "a tag": f"!<{'x' * 100_000}> a", "a directive": f"%YAML {'1' * 100_000}.1\n--- a", "spaces": "a" + " " * 10**6,
    }  # fmt: skip
    return {
        **{f"YAML, {name}": lambda text=text: from_yaml(text) for name, text in cases.items()},
        **{f"JSON, {name}": lambda text=text: from_json(text) for name, text in {
            "lists": "[" * 10**6 + "]" * 10**6, "dicts": '{"a":' * 10**5 + "1" + "}" * 10**5, "unclosed": "[" * 10**6,
            "digits": json.dumps(sequential(layer("Dense", units="@"))).replace('"@"', "9" * 10**6),
            "a fraction": f'{{"class_name": "Dense", "config": {"9" * 10**6}.5}}', "parts": "[" + "[]," * 10**6 + "[]]",
        }.items()},
    }  # fmt: skip


def training() -> dict[str, Any]:
    known = {"optimizer_config": {"class_name": "SGD", "config": {}}, "loss": "mse", "metrics": [], "loss_weights": None,
             "weighted_metrics": None, "sample_weight_mode": None}  # fmt: skip
    cases: dict[str, Any] = {}
    for name, value in NONSENSE.items():
        if name in ("surrogate", "keys", "many"):
            continue
        for key in known:
            cases[f"{key} is {name}"] = {**known, key: value}
        for kind in ("Adam", value):
            cases[f"the optimizer {str(kind)[:20]} of {name}"] = {
                **known, "optimizer_config": {"class_name": kind, "config": {"learning_rate": value, "clipnorm": value}},
            }  # fmt: skip
        schedule = {"class_name": "PiecewiseConstantDecay", "config": {"boundaries": value, "values": value}}
        cases[f"the schedule of {name}"] = {
            **known, "optimizer_config": {"class_name": "Adam", "config": {"learning_rate": schedule}}}  # fmt: skip
        for kind, config in (("LossFunctionWrapper", {"fn": value}), ("LossFunctionWrapper", value),
                             ("BinaryCrossentropy", {"label_smoothing": value, "reduction": value})):  # fmt: skip
            cases[f"the loss {kind} of {str(config)[:20]}, {name}"] = {
                **known, "loss": {"class_name": kind, "config": config}}  # fmt: skip
        for kind, config in (("MeanMetricWrapper", {"fn": value}), ("MeanMetricWrapper", value), (value, {}),
                             ("AUC", {"num_thresholds": value}), ("Precision", {"thresholds": value}),
                             ("MeanIoU", {"num_classes": value})):  # fmt: skip
            cases[f"the metric {str(kind)[:20]} of {str(config)[:20]}, {name}"] = {
                **known, "metrics": [{"class_name": kind, "config": config}]}  # fmt: skip
    for size in (10**8, 10**12):
        cases[f"AUC of {size}"] = {**known, "metrics": [{"class_name": "AUC", "config": {"num_thresholds": size}}]}
        cases[f"MeanIoU of {size}"] = {**known, "metrics": [{"class_name": "MeanIoU", "config": {"num_classes": size}}]}
    return {name: lambda case=case: from_zip(case) for name, case in cases.items()}


def from_json(text: str) -> None:
    from hornbeam.models import model_from_json

    model_from_json(text)


def from_yaml(text: str) -> None:
    from hornbeam.models import model_from_yaml

    model_from_yaml(text)


def from_zip(training: dict) -> None:
    """A model that was compiled as ``training`` says."""
    import hornbeam as keras

    whole = io.BytesIO()
    model = keras.models.Sequential([keras.layers.Dense(3, input_shape=(4,))])
    model.save(whole, save_format="keras")
    with zipfile.ZipFile(whole) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = {**json.loads(members["config.json"]), "compile_config": training}
    damaged = io.BytesIO()
    with zipfile.ZipFile(damaged, "w") as archive:
        for name, contents in {**members, "config.json": json.dumps(config)}.items():
            archive.writestr(name, contents)
    damaged.seek(0)
    keras.models.load_model(damaged)


FAMILIES = {f.__name__: f for f in (structures, sizes, nonsense, texts, training)}


def memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(family: str) -> None:
    import hornbeam

    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
    for name, case in FAMILIES[family]().items():
        load = case if callable(case) else functools.partial(from_json, json.dumps(case))
        before, start = memory(), time.process_time()
        result, message = "loaded", ""
        try:
            load()
        except Exception as error:
            result = next(
                (kind.__name__ for kind in (ValueError, OSError) if isinstance(error, kind)), type(error).__name__
            )
            message = str(error)
        row = {"case": name, "result": result, "length": len(message), "seconds": time.process_time() - start,
               "mib": memory() - before, "message": message[:200]}  # fmt: skip
        print(json.dumps(row), flush=True)
        hornbeam.backend.clear_session()
    print(json.dumps("complete"))


if __name__ == "__main__":
    main(sys.argv[1])
