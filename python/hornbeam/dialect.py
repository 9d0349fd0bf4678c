"""What scripts of TensorFlow 1 with Keras 2.3, and those of TensorFlow 2 with its tf.keras, mean by the same words.

A script means one of the two, ``TF1`` or ``TF2``. ``settings.dialect`` is the one that counts in this process; whoever has a
choice to make asks it, and nothing else. docs/tensorflow.md shows the rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


def _rule(what: str, in_1: str, in_2: str) -> Any:
    """A field that is False in TF1 and True in TF2, and the line about it in the table of docs/tensorflow.md."""
    return field(metadata={"rule": (what, in_1, in_2)})


@dataclass(frozen=True)
class Dialect:
    """A version of TensorFlow as scripts know it, and the Keras that they use with it."""

    number: int
    tensorflow: str
    keras: str

    newer_functions: bool = _rule(
        "`tf.where`, `tf.losses.mean_squared_error` and others of two meanings",
        "those of `tf.compat.v1`: a vector picks rows, losses are means over all",
        "those of `tf.compat.v2`: all is broadcast, losses are Keras's",
    )
    eager: bool = _rule("`tf.executing_eagerly()`", "False", "True")
    names_from_zero: bool = _rule("names of layers that have none", "`dense_1`, `dense_2`", "`dense`, `dense_1`")
    weights_by_layer: bool = _rule(
        "`model.weights`", "trainable weights first", "layer by layer, as `get_weights` has them"
    )
    output_of_first_call: bool = _rule(
        "`layer.output` of a layer called twice", "an error: `get_output_at(i)` says which", "the first call's"
    )
    positional_strides: bool = _rule(
        "`Conv2D(8, 3, 2)`", "a kernel of 3×2, as in Keras 1, with a warning", "a kernel of 3×3, strides of 2"
    )
    autocast: bool = _rule(
        "floating inputs of another dtype than the layer's", "stay as they are", "are cast to the layer's"
    )
    gru_resets_after: bool = _rule("`GRU(8)`", "`reset_after=False`", "`reset_after=True`, with a second bias")
    masks_end: bool = _rule("a mask that a layer does not support", "an error", "ends there")
    generators_end: bool = _rule(
        "a generator without a number of steps", "an error", "is run to its end, which ends the epoch"
    )
    later_optimizers: bool = _rule(
        "optimizers: order of arguments, defaults, `clipnorm`",
        "Keras 2.3.1's; one norm for all gradients",
        "tf.keras's; each gradient by its own norm",
    )
    subclasses_have_configs: bool = _rule(
        "`get_config` of a model whose class has a `call` and no `get_config`",
        "NotImplementedError",
        "an empty one, if the class is made of no arguments",
    )
    later_batch_normalization: bool = _rule(
        "a batch normalization that is frozen",
        "normalizes by the batch in training",
        "normalizes by its moving averages",
    )
    activity_by_sample: bool = _rule(
        "what an `activity_regularizer` adds to the loss", "that of the batch's outputs", "its share of each sample"
    )
    weights_of_any_rank: bool = _rule(
        "sample weights of steps or pixels", 'wait for `sample_weight_mode="temporal"`', "are taken as they are"
    )
    half_pixels: bool = _rule(
        "`UpSampling2D(2, interpolation='bilinear')`", "pixel i lies at 2i", "its middle lies at 2(i + ½)"
    )
    losses_leave_out_masked: bool = _rule(
        "the loss of an output with a mask",
        "a mean over all steps, masked ones being 0",
        "a mean over those that count",
    )
    output_losses_by_sample: bool = _rule(
        "the losses of several outputs over an epoch",
        "means of batches",
        "means of samples, also where a batch is smaller",
    )
    trainable_inside: bool = _rule(
        "`model.trainable = False`", "freezes the model as a whole", "is set for each layer in it as well"
    )
    wrappers_build: bool = _rule(
        "`super().build(input_shape)` in a wrapper of your own", "builds nothing", "builds the layer inside"
    )
    short_targets: bool = _rule(
        "targets (batch, time) for an output (batch, time, 1), or for class numbers",
        "an error",
        "stand for (batch, time, 1)",
    )
    checkpoints: bool = _rule('`save_weights("name")`, without a suffix', "an HDF5 file", "a checkpoint of TensorFlow")
    validation_comes_last: bool = _rule(
        "the order in `history.history`", "`val_loss`, `val_mae`, `loss`, `mae`", "`loss`, `mae`, `val_loss`, `val_mae`"
    )
    python_numbers: bool = _rule(
        "losses and metrics in `history` and of `train_on_batch`",
        "NumPy's numbers",
        "Python's, which `json.dumps` takes",
    )
    inputs_by_layer: bool = _rule("`Input((3,)).name`", "`input_1:0`", "`input_1`, its layer's name")
    histograms_of_weights: bool = _rule(
        "`TensorBoard(histogram_freq=1)`",
        "weights, and layers' outputs on the validation arrays, which have to be there",
        "weights alone",
    )
    plots_or_says: bool = _rule("`plot_model` without Graphviz", "an OSError", "says so, and the script goes on")


#: For each rule what it is about, and what that means in TF1 and in TF2.
RULES: dict[str, tuple[str, str, str]] = {f.name: f.metadata["rule"] for f in fields(Dialect) if "rule" in f.metadata}

TF1 = Dialect(1, "1.15.5", "2.3.1", **dict.fromkeys(RULES, False))  # the last that standalone Keras 2.3 ran on
TF2 = Dialect(2, "2.15.0", "2.15.0", **dict.fromkeys(RULES, True))  # the last whose tf.keras is Keras 2
DIALECTS = {"1": TF1, "2": TF2}
