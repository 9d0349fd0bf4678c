"""The frame around every architecture: arguments, input, pooling, weights."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .. import activations, layers
from .. import backend as K
from ..engine.tracing import get_source_inputs
from ..models import Model
from .imagenet_utils import DEVIATION, MEAN, _obtain_input_shape
from .modules import ignores_modules
from .weights import Pair, check_weights

_ARGUMENTS = """
Args:
    include_top: whether to end with the layers that classify.
    weights: None for random values, ``'imagenet'`` for the published weights, or the path of a file.
    input_tensor: tensor to use as the image.
    input_shape: shape of an image, without the batch axis. With ``include_top`` and the published weights it must be
        {size} x {size} x 3, the default; otherwise height and width are at least {minimum}.
    pooling: without ``include_top``, ``'avg'`` or ``'max'`` to pool the last feature maps over the image, or None.
    classes: number of classes, 1000 with the published weights.
    classifier_activation: activation of the last layer; None gives logits. The published weights are for these two: None and
        ``'softmax'``.
{more}
Returns:
    The model.

Raises:
    ValueError: arguments that do not fit together.
    OSError: the published weights are not in the cache and cannot be downloaded.
"""

_PREPROCESSING = "    include_preprocessing: whether the model begins with layers that scale pixels in [0, 255].\n"


def image_model(size: int = 224, minimum: int = 32, name: str | None = None) -> Callable[[Callable], Callable]:
    """Decorate a public function that makes a model: document the arguments that it shares with others.

    Args:
        size: default height and width of an image.
        minimum: the smallest.
        name: of the function, where a family makes one for each variant; it replaces ``{name}`` in the docstring.
    """

    def decorate(function: Callable) -> Callable:
        own = inspect.cleandoc(function.__doc__ or "")
        if name is not None:
            function.__name__ = function.__qualname__ = name
            own = own.replace("{name}", name)
        more = _PREPROCESSING if "include_preprocessing" in inspect.signature(function).parameters else ""
        shared = _ARGUMENTS.format(size=size, minimum=minimum, more=more)
        if "\nArgs:\n" in own:  # arguments of its own come first
            shared = shared.replace("\nArgs:\n", "")
        function.__doc__ = f"{own}\n{shared}"
        return ignores_modules(function)

    return decorate


def channel_axis() -> int:
    """The axis of the channels in a batch of images."""
    return 1 if K.image_data_format() == "channels_first" else -1


def channels(x: Any) -> int:
    """The number of feature maps."""
    return K.int_shape(x)[channel_axis()]


def batch_norm(x: Any, name: str | None = None, **options: Any) -> Any:
    """Normalize each channel."""
    return layers.BatchNormalization(axis=channel_axis(), name=name, **options)(x)


def normalize_pixels(x: Any, scale: float = 1.0, name: str | None = None) -> Any:
    """Normalize pixels in [0, scale] by ImageNet's mean and deviation."""
    mean, variance = [m * scale for m in MEAN], [(d * scale) ** 2 for d in DEVIATION]
    return layers.Normalization(axis=channel_axis(), mean=mean, variance=variance, name=name)(x)


def concatenate(parts: list, name: str | None = None) -> Any:
    """Put feature maps beside each other."""
    return layers.Concatenate(axis=channel_axis(), name=name)(parts)


def halving_padding(x: Any, kernel_size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Padding before a convolution of stride 2 without padding, which then sees what it saw when it was trained.

    An even size gets one row less in front: where TensorFlow's 'same' padding puts its rows, whatever the size.
    """
    half = kernel_size // 2
    first = 2 if K.image_data_format() == "channels_first" else 1
    height, width = K.int_shape(x)[first : first + 2]
    if height is None:  # images of any size count as even
        return (half - 1, half), (half - 1, half)
    return (half - 1 + height % 2, half), (half - 1 + width % 2, half)


class Frame:
    """What an architecture is built into.

    Attributes:
        image: the input.
        shape: its shape without the batch axis.

    Args:
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation: as the public functions
            have them.
        size: default height and width.
        minimum: smallest height and width.
        fixed_size: whether height and width have to be known; by default with ``include_top``.
    """

    def __init__(
        self,
        include_top: bool,
        weights: Any,
        input_tensor: Any,
        input_shape: Any,
        pooling: str | None,
        classes: int,
        classifier_activation: Any = "softmax",
        *,
        size: int = 224,
        minimum: int = 32,
        fixed_size: bool | None = None,
    ) -> None:
        check_weights(weights, include_top, classes)
        if weights == "imagenet" and include_top:
            if activations.get(classifier_activation) not in (activations.softmax, activations.linear):
                raise ValueError(
                    "The `imagenet` weights with `include_top` are for classifier_activation='softmax' or None. "
                    f"Received: {classifier_activation!r}"
                )
        self.include_top, self.weights, self.pooling, self.classes = include_top, weights, pooling, classes
        self.classifier_activation = classifier_activation
        self.shape = _obtain_input_shape(
            input_shape,
            default_size=size,
            min_size=minimum,
            data_format=K.image_data_format(),
            require_flatten=include_top if fixed_size is None else fixed_size,
            weights=weights,
        )
        if input_tensor is None:
            self.image = layers.Input(shape=self.shape)
        elif K.is_keras_tensor(input_tensor):
            self.image = input_tensor
        else:
            self.image = layers.Input(tensor=input_tensor, shape=self.shape)

    @property
    def size(self) -> tuple[int | None, int | None]:
        """Height and width of the image."""
        return self.shape[1:] if K.image_data_format() == "channels_first" else self.shape[:2]

    def classify(
        self,
        x: Any,
        name: str = "predictions",
        average: str | None = "avg_pool",
        pool_names: bool = False,
        dropout: float = 0.0,
        **options: Any,
    ) -> Any:
        """Average over the image and one Dense layer that classifies; without ``include_top`` the pooling asked for.

        Args:
            x: the last feature maps.
            name: of the Dense layer.
            average: name of the pooling layer before it.
            pool_names: whether the pooling asked for has a name, ``avg_pool`` or ``max_pool``.
            dropout: the rate of a dropout between the two, ``top_dropout``; none if 0.
            **options: of the Dense layer.
        """
        if not self.include_top:
            return self.pool(x, pool_names)
        x = layers.GlobalAveragePooling2D(name=average)(x)
        if dropout > 0:
            x = layers.Dropout(dropout, name="top_dropout")(x)
        return layers.Dense(self.classes, activation=self.classifier_activation, name=name, **options)(x)

    def pool(self, x: Any, named: bool = False) -> Any:
        """Pool over the image as the argument ``pooling`` says."""
        kinds = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}
        if self.pooling not in kinds:
            return x
        return kinds[self.pooling](name=f"{self.pooling}_pool" if named else None)(x)

    def model(self, x: Any, name: str, published: Pair | None) -> Model:
        """The finished model from the image to ``x``, with its weights.

        Args:
            x: the output.
            name: of the model.
            published: its files; None only where the caller has seen that ``weights`` is not ``'imagenet'``.
        """
        model = Model(get_source_inputs(self.image), x, name=name)
        if self.weights == "imagenet":
            assert published is not None
            model.load_weights((published.top if self.include_top else published.no_top).fetch())
        elif self.weights is not None:
            model.load_weights(self.weights)
        return model
